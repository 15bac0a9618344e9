"""The words that the demonstration's records are made of."""

from __future__ import annotations

#: The tree of categories: a top category, and below it each category with what its products are.
CATEGORIES: dict[str, dict[str, tuple[str, ...]]] = {
    "Kitchen": {
        "Coffee & Tea": ("Espresso Maker", "Teapot", "Café Grinder", "Milk Frother", "Pour-Over Set"),
        "Cookware": ("Saucepan", "Crêpe Pan", "Wok", "Stockpot", "Casserole"),
        "Knives": ("Chef's Knife", "Santoku", "Paring Knife", "Bread Knife"),
        "Tableware": ("Plate Set", "Bowl", "Carafe", "Espresso Cup", "Serving Board"),
    },
    "Living": {
        "Lighting": ("Desk Lamp", "Floor Lamp", "Pendant Light", "Candle Holder"),
        "Seating": ("Armchair", "Stool", "Chaise Longue", "Rocking Chair"),
        "Storage": ("Shelf", "Sideboard", "Basket", "Coat Rack"),
        "Textiles": ("Throw", "Cushion", "Rug", "Curtain"),
    },
    "Outdoor": {
        "Camping": ("Tent", "Sleeping Bag", "Camp Stove", "Hammock", "Headlamp"),
        "Cycling": ("Pannier", "Bell", "Saddle", "Bike Pump", "Helmet"),
        "Garden": ("Trowel", "Watering Can", "Pruner", "Planter"),
        "Climbing": ("Rope 60 m", "Harness", "Chalk Bag", "Carabiner Set"),
    },
    "Office": {
        "Writing": ("Fountain Pen", "Pencil Set", "Notebook A5", "Ink 50 ml"),
        "Desk": ("Desk Pad", "Letter Tray", "Monitor Stand", "Cable Box"),
        "Paper": ("Sketchbook", "Envelope Set", "Postcards", "Calendar"),
    },
    "Electronics": {
        "Audio": ("Headphones", "Bookshelf Speaker", "Turntable", "Microphone", "Radio"),
        "Computing": ("Keyboard", "Trackball", "Docking Station", "Webcam", "USB Hub"),
        "Photography": ("Tripod", "Lens 35 mm", "Camera Strap", "Light Meter"),
    },
    "Toys": {
        "Games": ("Chess Set", "Card Game", "Dominoes", "Puzzle 1,000"),
        "Building": ("Brick Set", "Marble Run", "Model Plane", "Train Set"),
        "Plush": ("Bear", "Hedgehog", "Whale", "Rabbit"),
    },
    "Books": {
        "Cooking": ("Bread Book", "Soups of the North", "Spice Atlas"),
        "Travel": ("Night Train Guide", "Island Walks", "Zürich on Foot"),
        "Poetry": ("Collected Poems", "Haiku 俳句", "Short Lines"),
    },
}

MAKERS = (
    *("Nordlicht", "Åsgård", "Halden", "Fjordwerk", "Señal", "Café Rio", "Ölberg", "Kintsugi", "東風", "Lumière"),
    *("Brennero", "Tallinn & Sons", "Quill", "Marlow", "O'Hara", "Żubr", "Pico", "Aurora", "Sólfar", "Velká"),
    *("Ardent", "Basalt", "Cedar", "Driftwood", "Ember", "Foundry No. 9", "Gale", "Harbour", "Ivory", "Juniper"),
)
SERIES = ("Classic", "Pro", "Mini", "Plus", "Studio", "Heritage", "Air", "Duo", "One", "Zero")
COLOURS = ("black", "white", "grey", "red", "navy", "forest green", "ochre", "natural", "café au lait", "türkis")
MATERIALS = ("oak", "beech", "steel", "brass", "linen", "wool", "cotton", "glass", "stoneware", "recycled plastic")
TAGS = (
    "new",
    "sale",
    "gift",
    "handmade",
    "organic",
    "bestseller",
    "limited",
    "outlet",
    "vegan",
    "repairable",
    "für Dich",
)
PHRASES = (
    "Made to be used every day.",
    "Comes with spare parts and a way to open it.",
    "Small enough for a shelf, large enough to matter.",
    "Washes by hand; dries by itself.",
    "Tested on three continents — and in one very small flat.",
    "Ships flat; no tools needed.",
    "The finish changes with the years.",
    "10 % goes to the repair café next door.",
    "Designed in Tromsø, built in Porto.",
    "What you see is what you get: 100 % of it.",
)

FIRST_NAMES = (
    *("Ada", "Bjørn", "Chloé", "Dmitri", "Elif", "Fatima", "Grace", "Håkon", "Inés", "Jürgen", "Kateřina", "Łukasz"),
    *("María", "Noor", "Oisín", "Priya", "Quentin", "Ružica", "Søren", "Thuý", "Uma", "Violeta", "Wei", "Xavier"),
    *("Yuki", "Zoë", "Amara", "Ben", "Carla", "Dev", "Emeka", "Freya", "Gianni", "Hana", "Ivan", "Jo"),
)
LAST_NAMES = (
    *("Andersen", "Brontë", "Çelik", "D'Angelo", "Eriksson", "Fernández", "García", "Haddad", "Ito", "Jansen"),
    *("Kovač", "Lindqvist", "Müller", "Nguyễn", "O'Neill", "Papadopoulos", "Quispe", "Rossi", "Šimek", "Tanaka"),
    *("Ueda", "van der Berg", "Weiß", "Xu", "Yılmaz", "Zając", "Okafor", "Smith", "Jones", "Díaz"),
)
#: (country, city, the start of its postal codes)
CITIES = (
    *(
        ("NO", "Tromsø", "90"),
        ("SE", "Malmö", "211"),
        ("DE", "Köln", "50"),
        ("DE", "Berlin", "10"),
        ("CH", "Zürich", "80"),
    ),
    *(("FR", "Besançon", "250"), ("ES", "Málaga", "290"), ("PT", "Évora", "70"), ("IT", "Torino", "101")),
    *(
        ("PL", "Łódź", "90"),
        ("CZ", "Plzeň", "30"),
        ("TR", "İzmir", "35"),
        ("GR", "Αθήνα", "105"),
        ("JP", "京都", "600"),
    ),
    *(("BR", "São Paulo", "01"), ("MX", "Mérida", "97"), ("US", "Portland", "972"), ("GB", "York", "YO1 ")),
)
STREETS = ("Main Street", "Rue de la Gare", "Bahnhofstraße", "Calle Mayor", "Storgata", "Harbour Road", "Elm Lane")
NOTES = (
    "Please ring twice.",
    "Gift wrap, please.",
    "Leave it with the neighbour.",
    "Nach 18 Uhr liefern.",
    "🎁 for Zoë",
)

TITLES = (
    *("Director", "Head of Sales", "Head of Logistics", "Head of Support", "Buyer", "Sales Associate"),
    *("Warehouse Lead", "Support Agent", "Photographer", "Bookkeeper"),
)
REVIEW_TITLES = (
    *("Very good", "As described", "Not for me", "Buy it!", "Broke after a week", "¡Excelente!", "Gut & günstig"),
    *("Five stars ★★★★★", "It's fine", "Better than the old one", "Returned", "素晴らしい"),
)
REVIEW_BODIES = (
    "I use it every day.",
    "Arrived two days early, well packed.",
    "The colour is nothing like the picture.",
    "My sister has one, now I have one too.",
    "Would buy again at half the price.",
    "It does 90 % of what I need; the rest I can live with.",
    "Sehr schön verarbeitet, klare Empfehlung.",
    "Smaller than I thought.\nStill happy.",
    "Works. That's all I ask for.",
    "J'adore !",
)
