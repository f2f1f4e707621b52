"""Gives a demonstration site a long past: its ended order lines, with all that was kept of them, copied row by row with other names.

What is copied is what the engine wrote; the copies themselves pass by the engine, so the chain of events holds in such a site only for
what was there before, and packages of copies have no files. It is for measuring how long reads take, and for nothing else.
"""
import re
import sqlite3
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Where an order line stands when nobody has anything to do with it any more.
ENDED = ("acknowledged", "archived", "canceled")
WORD = re.compile(r"[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*")
TIME = re.compile(r"(?<![0-9])1[78][0-9]{14}(?![0-9])")
# A copy lies this much before the one that was made before it: a center that is busy all year.
STEP_US = 15 * 60 * 1_000_000
# Columns by which a row belongs to something that is copied.
TABLES = {
    "submission": ["submission_id"],
    "participant": ["participant_id"],
    "specimen": ["specimen_id"],
    "order_line": ["order_line_id"],
    "run": ["run_id"],
    "step": ["run_id"],
    "attempt": ["run_id"],
    "made": ["run_id"],
    "decision": ["run_id"],
    "measurement": ["run_id"],
    "delivery": ["delivery_id"],
    "feed": ["delivery_id"],
    "record": ["record_id"],
    "name": ["record_id"],
    "event": ["stream"],
}
SEQUENCES = ("feed", "event")


def code(number, width):
    text = ""
    for _ in range(width):
        number, digit = divmod(number, 32)
        text = ALPHABET[digit] + text
    return text


def family(database):
    """Ids of ended order lines, and of everything that belongs to them and to nothing else."""
    ask = lambda sql, *values: [row[0] for row in database.execute(sql, values)]  # noqa: E731
    marks = ",".join("?" * len(ENDED))
    lines = ask(f"select order_line_id from order_line where stage in ({marks}) and run_id <> ''", *ENDED)
    open_runs = set(ask("select run_id from run where status not in ('succeeded', 'canceled', 'failed')"))
    ids = set()
    for line in lines:
        specimen, participant = database.execute(
            "select specimen_id, participant_id from order_line where order_line_id = ?", (line,)
        ).fetchone()
        runs = ask("select run_id from run where specimen_id = ?", specimen)
        if open_runs & set(runs) or len(ask("select 1 from order_line where participant_id = ?", participant)) > 1:
            continue
        ids |= {line, specimen, participant, *runs}
        ids |= set(ask("select submission_id from run where specimen_id = ?", specimen))
        ids |= set(ask("select delivery_id from delivery where specimen_id = ?", specimen))
        ids |= set(ask("select record_id from record where specimen_id = ? and kind <> 'shipment'", specimen))
        ids |= set(ask("select record_id from record where kind = 'consent' and parent = ?", participant))
        for run in runs:
            ids |= set(ask("select attempt_id from attempt where run_id = ?", run))
            ids |= set(ask("select decision_id from decision where run_id = ?", run))
    return lines, ids


def words_of(database, ids):
    """Words by which the copied things are known besides their ids: barcodes, pseudonyms, requisitions."""
    words = set()
    for name, record in database.execute("select name, record_id from name"):
        if record in ids:
            words |= {word for word in name.split("/") if re.search("[0-9]{4}", word)}
    return words


class Renamer:
    """Rows cut once where something has another name in each copy."""

    def __init__(self, ids, words):
        # `x-1` is the first attempt of the run `x`: its run's name is changed in it.
        self.ids, self.words, self.index, self.times = ids, words, {}, {}

    def cut(self, text):
        parts, at = [], 0
        for found in sorted([*WORD.finditer(text), *TIME.finditer(text)], key=lambda one: one.start()):
            word = found[0]
            if found.start() < at:
                continue
            if TIME.fullmatch(word):
                slot = ("time", int(word))
            elif word in self.ids or word in self.words:
                slot = ("word", word)
            elif "-" in word and word.rsplit("-", 1)[0] in self.ids:
                slot = ("word", word)
            else:
                continue
            parts += [text[at : found.start()], slot]
            at = found.end()
        return [*parts, text[at:]]

    @staticmethod
    def renamed(word, copy):
        # The first figures of an id tell the time; those of a specimen and an order line are a number.
        if re.fullmatch(r"[A-Z][0-9]{8}[0-9A-Z]", word):
            return word[0] + code(copy, 4).upper() + word[5:]
        if re.fullmatch(r"[a-z]01[0-9a-z]{20,}(-.*)?", word):
            return word[:3] + code(copy, 4) + word[7:]
        return f"{word}-{copy}"


def multiply(path, specimens, say=print):
    """Copies until there are about as many order lines; gives counts."""
    database = sqlite3.connect(path)
    database.executescript("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -1000000; pragma temp_store = memory;")
    lines, ids = family(database)
    renamer = Renamer(ids, words_of(database, ids))
    copies = max(0, (specimens - database.execute("select count(*) from order_line").fetchone()[0]) // max(1, sum(line in ids for line in lines)))
    work, slots = [], {}
    for table, (key, *_) in TABLES.items():
        columns = [row[1] for row in database.execute(f"pragma table_info({table})")]
        place = columns.index(key)
        rows = []
        for row in database.execute(f"select * from {table}"):
            owner = str(row[place]).rsplit(":", 1)[-1]
            if owner not in ids:
                continue
            cells = []
            for column, cell in zip(columns, row):
                if column == "intent" or (table == "name" and column == "name"):
                    cells.append(("unique", cell))
                elif isinstance(cell, str):
                    parts = renamer.cut(cell)
                    cells.append(parts if len(parts) > 1 else cell)
                elif isinstance(cell, int) and re.fullmatch("1[78][0-9]{14}", str(cell)):
                    cells.append(("time", cell))
                else:
                    cells.append(cell)
            for cell in cells:
                for part in cell if isinstance(cell, list) else [cell]:
                    if isinstance(part, tuple) and part[0] != "unique":
                        slots[part] = None
            rows.append(cells)
        if table in SEQUENCES:
            number = columns.index("seq")
            for cells in rows:
                cells[number] = None
        work.append((table, columns, rows))
    say(f"{sum(line in ids for line in lines)} ended order lines with {sum(len(rows) for _, _, rows in work)} rows, {copies} copies")
    indexes = database.execute("select name, sql from sqlite_master where type = 'index' and sql is not null").fetchall()
    for name, _ in indexes:
        database.execute(f'drop index "{name}"')
    began = time.monotonic()
    for copy in range(1, copies + 1):
        shift = copy * STEP_US
        values = {slot: Renamer.renamed(slot[1], copy) if slot[0] == "word" else slot[1] - shift for slot in slots}
        text = {slot: str(value) for slot, value in values.items()}

        def cell_of(cell):
            if isinstance(cell, list):
                return "".join([text[part] if isinstance(part, tuple) else part for part in cell])
            if isinstance(cell, tuple):
                return values[cell] if cell[0] == "time" else f"{cell[1]}-{copy}"
            return cell

        for table, columns, rows in work:
            marks = ",".join("?" * len(columns))
            database.executemany(f"insert into {table} values ({marks})", ([cell_of(cell) for cell in cells] for cells in rows))
        if copy % 200 == 0:
            say(f"{copy} of {copies} copies, {time.monotonic() - began:.0f} s")
    for _, sql in indexes:
        database.execute(sql)
    database.commit()
    database.executescript("pragma journal_mode = wal;")
    counts = {table: database.execute(f"select count(*) from {table}").fetchone()[0] for table in ("order_line", "run", "step", "attempt", "event")}
    database.close()
    return counts
