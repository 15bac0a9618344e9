-- The shop's records as Parse Server stores them, from the tables beside them in the same database.
INSERT INTO "Category" ("objectId", "createdAt", "updatedAt", name, slug)
    SELECT id::text, '2026-01-01', '2026-01-01', name, slug FROM categories;

INSERT INTO "Product" ("objectId", "createdAt", "updatedAt", sku, name, description, price, weight, stock, views, active,
        tags, attributes, released, category)
    SELECT id::text, created_at, created_at, sku, name, description, price, weight, stock, views, active,
        to_jsonb(tags), attributes, released::text, category_id::text
    FROM products;

INSERT INTO "OrderLine" ("objectId", "createdAt", "updatedAt", position, quantity, unit_price)
    SELECT order_id || '-' || position, '2026-01-01', '2026-01-01', position, quantity, unit_price FROM order_lines;

INSERT INTO "Order" ("objectId", "createdAt", "updatedAt", status, placed_at, order_lines)
    SELECT id::text, '2026-01-01', '2026-01-01', status, placed_at,
        (SELECT jsonb_agg(jsonb_build_object(
                '__type', 'Pointer', 'className', 'OrderLine', 'objectId', order_id || '-' || position) ORDER BY position)
            FROM order_lines WHERE order_id = orders.id)
    FROM orders;

CREATE INDEX ON "Product" (category, price DESC, "objectId");
CREATE UNIQUE INDEX ON "Product" (sku);
CREATE INDEX ON "Product" ("createdAt" DESC);
CREATE INDEX ON "Product" (released);
