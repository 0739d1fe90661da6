"""The MLPerf file formats, v0.5 and current: logs and config files, written and read."""

from inferometer.logs.accuracy import (
    AccuracyEntry,
    AccuracyLogError,
    read_accuracy_log,
    write_accuracy_log,
)
from inferometer.logs.config import (
    AUDIT_MESSAGE,
    ConfigTable,
    apply_audit_file,
    apply_config,
    builtin_config,
    config_changes,
    ignored_keys,
    parse_config,
    read_config,
)
from inferometer.logs.file_names import (
    ACCURACY_LOG,
    ACCURACY_TEXT,
    DETAIL_LOG,
    SUMMARY_LOG,
    TRACE_LOG,
)
from inferometer.logs.reading import (
    DetailEntry,
    DetailLog,
    LogError,
    SummaryLog,
    read_detail,
    read_summary,
)
from inferometer.logs.writer import LogSettings, timestamp_lines, write_logs

__all__ = [
    "ACCURACY_LOG",
    "ACCURACY_TEXT",
    "AUDIT_MESSAGE",
    "DETAIL_LOG",
    "SUMMARY_LOG",
    "TRACE_LOG",
    "AccuracyEntry",
    "AccuracyLogError",
    "ConfigTable",
    "DetailEntry",
    "DetailLog",
    "LogError",
    "LogSettings",
    "SummaryLog",
    "apply_audit_file",
    "apply_config",
    "builtin_config",
    "config_changes",
    "ignored_keys",
    "parse_config",
    "read_accuracy_log",
    "read_config",
    "read_detail",
    "read_summary",
    "timestamp_lines",
    "write_accuracy_log",
    "write_logs",
]
