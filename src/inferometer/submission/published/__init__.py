"""Published results: a round, or one's own runs, read into one table of results."""

from inferometer.submission.published.findings import READING_RULES
from inferometer.submission.published.importing import (
    OWN,
    Imported,
    ReadingError,
    import_folder,
)
from inferometer.submission.published.need import SORT_KEYS, Need, NeedError, chosen, groups
from inferometer.submission.published.row import (
    COLUMNS,
    SCHEMA_VERSION,
    Column,
    ResultRow,
    TableError,
)
from inferometer.submission.published.table_file import (
    SUFFIXES,
    check_table_name,
    merged,
    read_table,
    write_table,
)
from inferometer.submission.published.vocabulary import (
    PROCESSOR_KINDS,
    framework_family,
    precision_of,
    processor_kind,
)

__all__ = [
    "COLUMNS",
    "OWN",
    "PROCESSOR_KINDS",
    "READING_RULES",
    "SCHEMA_VERSION",
    "SORT_KEYS",
    "SUFFIXES",
    "Column",
    "Imported",
    "Need",
    "NeedError",
    "ReadingError",
    "ResultRow",
    "TableError",
    "check_table_name",
    "chosen",
    "framework_family",
    "groups",
    "import_folder",
    "merged",
    "precision_of",
    "processor_kind",
    "read_table",
    "write_table",
]
