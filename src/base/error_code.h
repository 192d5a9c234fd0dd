#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace coeval {

/// The one table of error codes: name, number (printed as C0101), exit code of the CLI, HTTP
/// status, whether a retry may help, and a sentence that `coeval explain C0101` prints. Ranges: 01
/// base and files, 02 data and codecs, 03 syntax of a definition, 04 names and types, 05 leaks and
/// time, 06 data quality, 07 stores, 08 models and training, 09 serving, 10 command line.
// clang-format off
#define COEVAL_ERROR_CODES(X) \
  X(internal,              100, 1, 500, false, "A bug of coeval's own. Please report it with the command that you ran.") \
  X(io,                    101, 1, 500, true,  "The operating system refused an operation on a file.") \
  X(no_such_file,          102, 1, 404, false, "A file that was named does not exist.") \
  X(disk_full,             103, 1, 507, true,  "There is no room left on the disk. Nothing that was acknowledged is lost; make room and go on.") \
  X(missing_component,     104, 1, 500, false, "A part that is loaded on first use (Parquet, XGBoost) is not installed. `./dev setup` installs it.") \
  X(unsupported,           105, 2, 501, false, "Valid, but this version does not do it yet.") \
  X(bad_file,              201, 1, 400, false, "A data file is truncated or not of the format that its name says.") \
  X(bad_json,              202, 2, 400, false, "The text is not valid JSON, or its shape is not the one asked for.") \
  X(type_mismatch,         203, 2, 400, false, "A value or column has another type than declared.") \
  X(missing_value,         204, 2, 400, false, "A key or column that is required is absent.") \
  X(unknown_key,           205, 2, 400, false, "A key or column is not declared.") \
  X(out_of_range,          206, 2, 400, false, "A number does not fit its declared type.") \
  X(bad_csv,               207, 2, 400, false, "A CSV record is malformed.") \
  X(syntax,                301, 2, 400, false, "The definition file is not valid TOML.") \
  X(expression_syntax,     302, 2, 400, false, "An expression cannot be parsed.") \
  X(unknown_toml_key,      303, 2, 400, false, "A key of the definition file is not known. Keys are never ignored.") \
  X(missing_toml_key,      304, 2, 400, false, "A required key of the definition file is absent.") \
  X(bad_toml_value,        305, 2, 400, false, "A value in the definition file has the wrong type or is out of range.") \
  X(no_project,            306, 2, 400, false, "No coeval.toml in this folder or above it. `coeval init` writes one.") \
  X(too_deep,              307, 2, 400, false, "An expression or file nests deeper, or is longer, than the limit.") \
  X(unknown_name,          411, 2, 400, false, "A source, view, model, feature or function is not defined.") \
  X(unknown_column,        412, 2, 400, false, "A column is not declared by the source that the expression reads.") \
  X(type_error,            413, 2, 400, false, "An expression combines types that do not fit together.") \
  X(bad_call,              414, 2, 400, false, "A function is called with the wrong number or kind of arguments.") \
  X(duplicate_name,        415, 2, 400, false, "A name is defined twice.") \
  X(bad_window,            416, 2, 400, false, "A window is not a positive duration such as \"3h\", \"14d\", or \"all\".") \
  X(cycle,                 417, 2, 400, false, "A definition uses itself, directly or by way of others.") \
  X(unknown_zone,          418, 2, 400, false, "A time zone is not one of the IANA names that this version carries, such as Europe/Berlin or UTC.") \
  X(leak,                  501, 2, 400, false, "A value would be read before it was known.") \
  X(random_split,          502, 2, 400, false, "Rows with a time are split by time only; a random split would let the future into training.") \
  X(no_known_time,         503, 2, 400, false, "A source must say when its rows became known: known = \"…\", or known = \"event time\" in so many words.") \
  X(question_too_old,      504, 2, 400, false, "The question's time lies further back than the state reaches. `coeval dataset` answers questions about any time.") \
  X(bad_split,             505, 2, 400, false, "The dates of a split must increase.") \
  X(bad_row,               601, 3, 422, false, "A row breaks a rule of its source. An event is put in quarantine with the reason; a question is refused.") \
  X(check_failed,          602, 3, 422, false, "A data check failed.") \
  X(log_locked,            701, 1, 503, true,  "Another process writes to this project's log. One writer per directory.") \
  X(log_corrupt,           702, 1, 500, false, "A record in the middle of the log fails its checksum. `coeval doctor` explains and `coeval doctor --repair` sets the bytes aside.") \
  X(log_mismatch,          703, 2, 409, false, "The log was started from another history or cut than the one asked for.") \
  X(metadata,              704, 1, 500, true,  "The metadata database refused an operation.") \
  X(snapshot_corrupt,      705, 1, 500, false, "A state snapshot is damaged. It is ignored and rebuilt from the log.") \
  X(bad_model,             801, 1, 500, false, "A model file is damaged, of another format, or fails its golden rows.") \
  X(training_failed,       802, 1, 500, false, "The trainer stopped with an error.") \
  X(gate_failed,           803, 3, 409, false, "A gate did not pass, or could not be evaluated, which counts as not passed.") \
  X(no_rows,               804, 3, 422, false, "A part of the split has no rows, or only one class.") \
  X(unknown_model,         901, 2, 404, false, "No model of this name or version is registered.") \
  X(not_found,             902, 2, 404, false, "There is nothing at this address.") \
  X(body_too_large,        903, 2, 413, false, "The body is larger than the server accepts.") \
  X(bad_request,           904, 2, 400, false, "The HTTP request cannot be understood.") \
  X(overloaded,            905, 1, 503, true,  "The server is at its limit; retry after the time it names.") \
  X(method_not_allowed,    906, 2, 405, false, "This address exists, but not for this HTTP method.") \
  X(unavailable,           907, 1, 503, true,  "The server cannot be reached, or is stopping.") \
  X(header_too_large,      908, 2, 431, false, "The request line and header fields are larger than the server accepts.") \
  X(request_timeout,       909, 1, 408, true,  "The request did not arrive within the server's time limit.") \
  X(unsupported_encoding,  910, 2, 415, false, "The body of the request is encoded in a way that the server does not decode.") \
  X(stale_feature,         911, 2, 422, false, "A feature with on_stale = \"refuse\" is older than its max_age, or has no event at all, so the question gets no answer.") \
  X(key_reused,            912, 2, 422, false, "An Idempotency-Key was sent before with another body. A new request needs a new key.") \
  X(request_under_way,     913, 1, 409, true,  "A request with this Idempotency-Key has been taken and is not on disk yet. Send it again to get its answer.") \
  X(usage,                1001, 2, 400, false, "The command line cannot be understood. `coeval help` lists the verbs.") \
  X(audit_differs,        1002, 3, 409, false, "A logged prediction does not equal its recomputation.") \
  X(changes_pending,      1003, 4, 409, false, "The definition differs from what was built last.") \
  X(not_built,            1004, 2, 409, false, "The model has no built version yet. `coeval build` makes one.")
// clang-format on

enum class Code : std::uint16_t {
#define COEVAL_CODE_ENUMERATOR(name, number, exit, http, retry, text) name = number,
  COEVAL_ERROR_CODES(COEVAL_CODE_ENUMERATOR)
#undef COEVAL_CODE_ENUMERATOR
};

/// One row of the table above.
struct CodeInfo {
  Code code;
  std::string_view name;
  int exit_code;
  int http_status;
  bool retryable;
  std::string_view explanation;
};

/// The row for a code.
const CodeInfo& info(Code code);

/// The row for "C0412" or "0412", or nothing.
std::optional<CodeInfo> find_code(std::string_view text);

/// All rows in the order of the table.
std::span<const CodeInfo> all_codes();

}  // namespace coeval
