"""Every code that an error of the API may have: the statuses it comes with, what it means, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A code (PostgreSQL's SQLSTATE, or PostgREST's), its HTTP statuses, its meaning and the way out."""

    code: str
    statuses: tuple[int, ...]
    meaning: str
    remedy: str


CODES: tuple[Code, ...] = (
    Code("PGRST100", (400,), "A parameter or a header cannot be parsed.", "`details` tells where, and what fits."),
    Code(
        "PGRST102",
        (400,),
        "The body cannot be read, or is of the wrong shape.",
        "`details` tells where, and what fits.",
    ),
    Code("PGRST103", (416,), "There is no such page.", "Ask for a page that begins before the end."),
    Code("PGRST106", (406,), "There is no such schema.", "Leave out `Accept-Profile` and `Content-Profile`."),
    Code("PGRST107", (406,), "No accepted media type can be had here.", "The language reference lists them."),
    Code("PGRST108", (400,), "A parameter is about a resource that is not embedded.", "Name it in `select`."),
    Code("PGRST115", (400,), "The key in the body differs from the path's.", "Leave the key out of the body."),
    Code("PGRST116", (404, 406), "There is not exactly one record.", "Ask for a list, or for a key that exists."),
    Code("PGRST117", (405,), "The path does not know this method.", "Use one that the header `Allow` lists."),
    Code("PGRST118", (400,), "Records cannot be ordered by a list.", "Order by one record, or inside the embed."),
    Code("PGRST120", (400,), "An embed can only be there or not.", "Filter its columns: `embed.column=…`."),
    Code("PGRST122", (400,), "A preference is not known.", "Correct `Prefer`, or leave out `handling=strict`."),
    Code("PGRST123", (400,), "Aggregates are switched off.", "Ask whoever runs the service: `DIGLOT_AGGREGATES`."),
    Code(
        "PGRST124",
        (400,),
        "The write concerns more records than `max-affected` allows; nothing was written.",
        "Filter.",
    ),
    Code("PGRST125", (404,), "There is no such path.", "`/openapi.json` has all paths."),
    Code("PGRST127", (400,), "This is not possible in this combination.", "`message` says what is not."),
    Code("PGRST200", (400,), "No relation has this name.", "`hint` may have the right one; `/docs` has all."),
    Code("PGRST201", (300,), "Several relations have this name.", "Add one of the hints that `hint` lists."),
    Code("PGRST204", (400,), "A field in the body or in `columns` does not exist.", "`hint` may have the right one."),
    Code("PGRST205", (404, 503), "There is no such resource (503: in the database).", "See `hint`, or the log."),
    Code("PGRST409", (409,), "The same request is being carried out at this moment.", "Try again: see `Retry-After`."),
    Code("PGRST411", (411,), "The end of the body cannot be told from a break.", "Send `Content-Length`."),
    Code("PGRST412", (412,), "The record is not as the request expects it.", "Read it anew, and try again."),
    Code("PGRST413", (413,), "The body is too large.", "Send less at a time."),
    Code("PGRST414", (414,), "The URL is too long.", "Shorten it."),
    Code("PGRST415", (415,), "The body has another media type, or is compressed.", "`hint` has one that fits."),
    Code("PGRST422", (422,), "The `Idempotency-Key` was used for another request.", "Use a new key."),
    Code("PGRST428", (428,), "A change needs a condition here.", "Send `If-Match`, or `If-None-Match: *`."),
    Code("PGRST431", (431,), "The headers are too long.", "Shorten them."),
    Code(
        "0A000", (400,), "Records cannot be grouped or summed up in this form.", "`message` tells which; leave it out."
    ),
    Code(
        "21000",
        (400,),
        "PATCH or DELETE of a whole collection; two records of one upsert are the same one.",
        "Filter the records; send each record once.",
    ),
    Code("22001", (400,), "Text is too long.", "Shorten it."),
    Code("22003", (400,), "A number is out of range, or has too many digits.", "Send one that its type can hold."),
    Code("22004", (400,), "A null stands where none may be.", "Use `is.null` to find nulls."),
    Code("22007", (400,), "This is no date or time.", "Write `2026-01-31`, or `2026-01-31T09:30:00Z`."),
    Code("22008", (400,), "A date or time is out of range.", "Years go from 1 to 9999."),
    Code("22025", (400,), "A pattern ends with its escape character.", "Write two backslashes for one."),
    Code("2201B", (400,), "A regular expression is not understood.", "Keep to the subset in the language reference."),
    Code("22P02", (400,), "A value is not of its field's type.", "`message` has the type."),
    Code("22P05", (400,), "Text holds a character that cannot be stored.", "Leave out U+0000 and lone surrogates."),
    Code("23000", (400,), "A rule of the database is broken.", "Ask whoever runs the service."),
    Code("23502", (400,), "A required field is missing or null.", "Give it a value."),
    Code("23503", (409,), "A reference would point at nothing.", "Write what is pointed at first; delete it last."),
    Code("23505", (409,), "A unique value exists already.", "Choose another, or change the record that has it."),
    Code("23514", (400,), "A value breaks a limit of its field.", "`errors` has each one."),
    Code("40001", (503,), "Concurrent writers were in the way; nothing was written.", "Try again: see `Retry-After`."),
    Code("42703", (400,), "A column does not exist.", "`hint` may have the right name."),
    Code("42704", (400,), "A type in a cast does not exist.", "`hint` lists the types."),
    Code("42712", (400,), "Two members of an answer have the same name.", "Give one of them an alias."),
    Code("42803", (400,), "Groups are ordered by what they do not have.", "Select the columns to order by."),
    Code("42804", (400,), "`is.true` and the like are asked of no boolean.", "Use `eq`, or `is.null`."),
    Code("42846", (400,), "There is no such cast.", "The language reference lists the casts."),
    Code("42883", (400,), "The operator or function does not fit the type.", "The language reference has what fits."),
    Code("428C9", (400,), "A read-only field is given.", "Leave it out."),
    Code("42P10", (400,), "`on_conflict` names no key and no unique set.", "Name one; `/docs` has them."),
    Code("54000", (413,), "Too many records or operations, or too long an answer.", "Send fewer; `return=minimal`."),
    Code("54001", (400,), "The request is too complex, or nested too deeply.", "Split it."),
    Code("57014", (504,), "The database took too long.", "Ask for less, or declare an index."),
    Code("PGRST000", (503,), "The database cannot be reached.", "Try again: see `Retry-After`."),
    Code("PGRST003", (504,), "No database connection became free in time.", "Try again: see `Retry-After`."),
    Code("XX000", (500,), "The service has a defect.", "Report it; the service's log has the details."),
)
