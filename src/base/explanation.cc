#include "base/explanation.h"

namespace coeval {

// A switch without a default: the compiler names a code that has no explanation.
Explanation explanation(Code code) {
  switch (code) {
    case Code::internal:
      return {
          "Something that must always hold did not, so the answer was withheld rather than "
          "guessed. Nothing "
          "that you wrote causes this. Run `coeval doctor` to see whether the state on disk is "
          "sound, and report "
          "the command, the version (`coeval --version`) and the message.",
          ""};
    case Code::io:
      return {
          "Reading or writing failed in the system, not in the data: permissions, a full quota, a "
          "disk or network "
          "drive that went away. The message names the file and the system's reason. Repair that "
          "and run the same "
          "command again; what was acknowledged before is safe.",
          ""};
    case Code::no_such_file:
      return {
          "A path on the command line or in the definition leads nowhere. Paths in coeval.toml are "
          "relative to the "
          "folder that holds it, those on the command line to where you stand. Check the spelling "
          "with `ls`, or "
          "name the project's folder with -C.",
          ""};
    case Code::disk_full:
      return {
          "A write stopped because the disk or the quota is full. The server goes on answering and "
          "refuses events "
          "until there is room. Delete or move what is not needed (datasets below .coeval can be "
          "made again), then "
          "run the command again or wait for the server's next try.",
          ""};
    case Code::missing_component:
      return {
          "Readers of Parquet, the XGBoost library and ONNX Runtime are loaded when they are first "
          "needed, and "
          "the file of one is "
          "not where this program looks. That happens when the executable was moved without the "
          "folders beside it. "
          "Run `./dev setup`, or set COEVAL_HOME to the folder that holds third_party.",
          ""};
    case Code::unsupported:
      return {
          "What was asked for is part of the language or of the formats, but not of this version. "
          "The message names "
          "the part. Write it another way, or update; `coeval explain` and CHANGELOG.md say what "
          "each version can do.",
          ""};
    case Code::bad_file:
      return {
          "The file's content is not what its name says: cut off while it was copied, or written "
          "by another "
          "program. The message says where reading stopped. Copy or export the file again and "
          "compare its size or "
          "checksum with the original's.",
          ""};
    case Code::bad_json:
      return {
          "The text is not JSON, or is JSON of another shape than this place takes, for example a "
          "list where one "
          "object belongs. The message gives line and column of the first fault. Correct that "
          "place; "
          "`python3 -m json.tool` finds the same faults.",
          ""};
    case Code::type_mismatch:
      return {
          "A value has another type than the definition declares, such as the text \"12\" where a "
          "number belongs; "
          "nothing is converted silently. The cause is mostly a column that was exported as text. "
          "Declare the type that "
          "the data has, or convert the data before it comes in.",
          "amount = { type = \"int32\" } with \"12.5\" in the file → amount = { type = \"float64\" "
          "}"};
    case Code::missing_value:
      return {
          "A key column, a time or a column that is not nullable has no value. Often a field was "
          "left out of the "
          "request, or an empty CSV field stands for null. Give the value, or declare the column "
          "nullable = true "
          "if null is a fact about it.",
          ""};
    case Code::unknown_key:
      return {
          "The data holds a member or column that the definition does not declare, or lacks one "
          "that it does. A "
          "misspelt name is the usual cause: such a field would be ignored elsewhere, here it is "
          "an error. Correct the "
          "name, or declare the column in coeval.toml.",
          ""};
    case Code::out_of_range:
      return {
          "A number is larger or smaller than its type holds, such as 3000000000 in an int32. "
          "Nothing is cut or wrapped "
          "silently. Declare a wider type (int64, float64), or correct the value where it comes "
          "from.",
          "id = { type = \"int32\" } with 3000000000 in the file → id = { type = \"int64\" }"};
    case Code::bad_csv:
      return {
          "A record does not have as many fields as the header, or a quote is not closed. A comma "
          "or a line break "
          "inside a text that is not quoted is the usual cause. Look at the line that the message "
          "names and quote the "
          "field, with inner quotes doubled.",
          ""};
    case Code::syntax:
      return {
          "The file coeval.toml cannot be read as TOML, so nothing in it was looked at. Mostly a "
          "quote or bracket is not closed, "
          "or a key stands twice. Correct the place under the caret; later errors show once the "
          "file can be read.",
          "windows = [\"3h\", \"14d\" → windows = [\"3h\", \"14d\"]"};
    case Code::expression_syntax:
      return {
          "The text of an expression breaks off or holds something that cannot stand there. "
          "Expressions are like SQL's: "
          "one = for equality, and, or, not in words, texts in single quotes. Correct the place "
          "under the caret.",
          "label = \"delay >== 15\" → label = \"delay >= 15\""};
    case Code::unknown_toml_key:
      return {
          "A table of the definition holds a key that means nothing there. It would be silently "
          "ignored elsewhere, and "
          "a misspelt option would then change nothing; here it is refused. Correct the spelling "
          "as the advice says, or "
          "remove the line.",
          "question = { form = \"flights\", from = \"flights\", at = \"date\" } → question = { "
          "from = "
          "\"flights\", at = \"date\" }"};
    case Code::missing_toml_key:
      return {
          "A table lacks a key without which it has no meaning, such as a source without its time. "
          "Defaults exist "
          "only where every choice is harmless. Add the key that the message names.",
          "[source.flights] without time → time = \"date\""};
    case Code::bad_toml_value:
      return {
          "A key of the definition has a value of another kind than it takes, such as a number "
          "where a text belongs, "
          "or a number beyond its limits. The message says what is expected. Replace the value "
          "under the caret.",
          "windows = \"3h\" → windows = [\"3h\"]"};
    case Code::no_project:
      return {
          "Verbs that work on a project look for coeval.toml in this folder and then in each one "
          "above it, and there was "
          "none. Mostly the command was run in another folder. Go to the project's folder, name it "
          "with -C, or "
          "run `coeval init` to start one.",
          "cd project, or coeval check -C project"};
    case Code::too_deep:
      return {
          "A part of the definition is longer or nests deeper than the stated limit, which exists "
          "so that every check ends "
          "in bounded time and memory. Generated definitions are the usual cause. Split the "
          "expression into named "
          "[features], or the view into several.",
          "x = \"((((…))))\", thousands deep → name inner parts under [features]"};
    case Code::unknown_name:
      return {
          "Something is referred to by a name that the definition does not give to anything: a "
          "source, view, model, "
          "feature or function. Mostly it is a misspelling or was renamed elsewhere; the nearest "
          "name is suggested. "
          "Correct the name, or define what is missing.",
          "inputs = [\"orign.late_3h\"] → inputs = [\"origin.late_3h\"]"};
    case Code::unknown_column:
      return {
          "An expression reads a column that its source does not declare. Columns of the file that "
          "are not declared do not "
          "exist for a definition. Correct the name, or declare the column under "
          "[source.NAME.columns].",
          "late = \"mean(dely >= 15)\" → late = \"mean(delay >= 15)\""};
    case Code::type_error:
      return {
          "An operator or function is given types that do not go together, such as a text compared "
          "with a number; "
          "nothing is converted unless you say so. Compare like with like, or convert with cast(x "
          "as type).",
          "late = \"mean(origin > 5)\" → late = \"mean(length(origin) > 5)\""};
    case Code::bad_call:
      return {
          "A function gets too many or too few arguments, one of a wrong kind, or a column where "
          "it needs a constant. "
          "The message shows the signature. Write the call as the signature says; docs/language.md "
          "describes "
          "every function.",
          "late = \"mean(length(origin, 2))\" → late = \"mean(length(origin))\""};
    case Code::duplicate_name:
      return {
          "Two things of one kind have one name, so nobody could say which of them is meant. "
          "Copying a block and changing "
          "its body but not its name is the usual cause. Rename one of them.",
          "inputs = [\"hour\", \"hour\"] → inputs = [\"hour\"]"};
    case Code::bad_window:
      return {
          "A window must be a whole number above zero with a unit (90s, 15min, 3h, 14d, 2w), or "
          "one of the words for "
          "windows without a fixed length. Zero, negative and fractional lengths are refused, and "
          "so are two windows of one "
          "length in a view. Write the length in a smaller unit. A window that reaches further "
          "back "
          "than the log of its source keeps events (`retention`) is refused too.",
          "windows = [\"1.5h\"] → windows = [\"90min\"]"};
    case Code::cycle:
      return {
          "A feature or view needs its own value to be computed, directly or through others; the "
          "message shows the "
          "circle. Mostly an expression was given the name of something that it reads. Rename one "
          "of them, or take "
          "the reference out.",
          "a = \"b + 1\" and b = \"a * 2\" → b = \"amount * 2\""};
    case Code::unknown_zone:
      return {
          "A time zone is named that the IANA tables inside this program do not have. "
          "Abbreviations such as CEST and "
          "offsets such as +02:00 are not zones: they do not know when clocks change. Write the "
          "name of a place, such as "
          "Europe/Berlin.",
          "zone = \"CEST\" → zone = \"Europe/Berlin\""};
    case Code::leak:
      return {
          "Something would be read at the question's time that became known only later, so "
          "training would see what "
          "serving never can. The message shows the path from the input to what is known too late. "
          "Read a view, which "
          "counts only what was known by then, or state when the column is really known.",
          "inputs = [\"delay\"] → inputs = [\"origin.late_3h\"]"};
    case Code::random_split:
      return {
          "A random split puts rows of one hour into training and test alike, and the test then "
          "measures memory, "
          "not foresight. Rows that carry a time are split by time only. Give the dates at which "
          "training, validation "
          "and test end.",
          "split = { random = 0.2 } → split = { train_until = 2001-05-01, validate_until = "
          "2001-06-01, "
          "test_until = 2001-07-01 }"};
    case Code::no_known_time:
      return {
          "Without the time at which a row became known, nobody can tell what a question could "
          "have seen. It is mostly later "
          "than the event: a flight's delay is known when it lands. State it as an expression over "
          "the row, "
          "or say in so many words that both times are the same.",
          "[source.flights] without known → known = \"date + minutes(40 + distance / 7.5)\""};
    case Code::question_too_old:
      return {
          "A server keeps the events of its windows and a little more, and the question's time "
          "lies before that. The usual "
          "causes are a client's wrong clock and a replay of old questions against a live server. "
          "Ask about the "
          "present, raise the view's lateness, or use `coeval dataset`, which answers about any "
          "time.",
          "lateness = \"1d\" → lateness = \"7d\""};
    case Code::bad_split:
      return {
          "The ends of training, validation and test do not increase, or leave less room between "
          "them than the label "
          "needs to become known. Labels of the last training rows would then be known only in the "
          "test. Move the "
          "dates apart and keep their order.",
          "split = { train_until = 2001-06-01, validate_until = 2001-05-01, test_until = "
          "2001-07-01 } → split = { "
          "train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }"};
    case Code::bad_row:
      return {
          "A row breaks a rule that its source declares (min, max, pattern, enum, not nullable). "
          "From a file or over "
          "HTTP it is set aside with the reason and counted, never half used. Look at the reason "
          "in the answer or in "
          "the quarantine, then correct the data or, if the rule is wrong, the rule.",
          ""};
    case Code::check_failed:
      return {
          "A check of the data as a whole did not hold, for example too many rows in quarantine. "
          "What is built on such "
          "data would be wrong in ways that no metric shows. Read which check it was, correct the "
          "data or the check, "
          "and run the command again. A file that `coeval ingest` judges so is held: `coeval "
          "ingest "
          "--held` says why, --release and --discard decide.",
          ""};
    case Code::log_locked:
      return {
          "One process at a time writes to a project's log, and another one holds it: mostly a "
          "server that is still "
          "running, or `coeval ingest --follow`. Send events to that server over HTTP, or stop it "
          "first; `coeval doctor` names the process.",
          ""};
    case Code::log_corrupt:
      return {
          "A record that was once written whole no longer matches its checksum: a disk error, or a "
          "file that was "
          "edited. Nothing is skipped silently, since every later answer would depend on what is "
          "missing. Run `coeval "
          "doctor`, restore the segment from a backup, or set the bytes aside with `coeval doctor "
          "--repair`.",
          ""};
    case Code::log_mismatch:
      return {
          "A log continues one history up to one moment (the cut), and the command names another: "
          "serve was started with another --as-of, or the history file was replaced. Use the "
          "values "
          "that the log was started with, or move .coeval/log away to start a new one. Or columns "
          "of "
          "a source were changed so that logged events cannot be read as rows of it: the message "
          "lists each column, what it was and what it is. Change it back, or add a nullable "
          "column.",
          ""};
    case Code::metadata:
      return {
          "The database of versions and aliases (.coeval/meta.sqlite) could not be read or "
          "changed. It may be held by "
          "another process, damaged, or without permission. Wait and try again; if it persists, "
          "check the file's "
          "permissions and run `coeval doctor`.",
          ""};
    case Code::snapshot_corrupt:
      return {
          "A saved state did not pass its checksum, as happens when the machine stops in the "
          "middle of a copy. State can "
          "always be rebuilt from files and log, so only the start takes longer. Nothing needs to "
          "be done; delete the "
          "snapshot if the message stays, and check the disk with `coeval doctor`.",
          ""};
    case Code::bad_model:
      return {
          "A model's folder is not what was registered: a file is damaged or was changed, or the "
          "model does not reproduce the "
          "rows recorded when it was built. It is never served in that state. Restore the folder, "
          "or run `coeval "
          "build`, which makes the same model again from the same data.",
          ""};
    case Code::training_failed:
      return {
          "The trainer ran in a process of its own and ended without a model; its last words are "
          "in the message. Usual "
          "causes are parameters that it refuses and too little memory. Correct the parameters in "
          "coeval.toml, or "
          "give it room, and run `coeval build` again.",
          ""};
    case Code::gate_failed:
      return {
          "The model was built and registered, but measured worse than a bound that the definition "
          "states, so it cannot be "
          "promoted. `coeval show MODEL` lists every gate with what was measured. Improve the "
          "model or its data; "
          "change the gate only if the bound itself was wrong.",
          ""};
    case Code::no_rows:
      return {
          "After cutting by time and leaving out labels that were not yet known, a part of the "
          "split is empty or holds "
          "only one outcome, and no metric is defined on it. Mostly the dates lie outside of the "
          "data. Compare the split "
          "with the range of the source's times and move the dates.",
          ""};
    case Code::unknown_model:
      return {
          "The registry holds no model, or no version, of the name that was asked for. Perhaps it "
          "was never built here, or "
          "an alias was never set. Run `coeval show` to list what there is, then `coeval build` or "
          "`coeval "
          "promote`.",
          ""};
    case Code::not_found:
      return {
          "The address, prediction or log that was asked for does not exist. Mostly an id was cut "
          "off while copying, or the "
          "path lacks its /v1. Compare it with docs/openapi.yaml, or with what the server answered "
          "when the "
          "prediction was made.",
          ""};
    case Code::body_too_large:
      return {
          "The request's body is beyond the limit that protects the server's memory. Large batches "
          "are the usual cause. "
          "Split the batch into several requests, or load files with `coeval ingest`.",
          ""};
    case Code::bad_request:
      return {
          "The request breaks the rules of HTTP itself: a malformed request line, header or "
          "length. Clients that write "
          "HTTP by hand are the usual cause. Use an HTTP library, and compare with `curl -v` "
          "against the same address. Of an export: another program's server refused what it was "
          "sent; the message has its status and its own words, and credentials or the address's "
          "path are the usual causes.",
          ""};
    case Code::overloaded:
      return {
          "More requests are waiting than the server can answer in time, so new ones are turned "
          "away at once instead of "
          "slowly. The Retry-After field says when to come back. Retry with growing pauses, send "
          "larger batches, or give "
          "the server more threads.",
          ""};
    case Code::method_not_allowed:
      return {
          "The address is right and the verb is not: predictions and events are sent with POST, "
          "everything else is read "
          "with GET. The Allow field of the answer lists what it takes. Change the method.",
          ""};
    case Code::unavailable:
      return {
          "Nobody answers at the server's address, or the server is shutting down. Perhaps it was "
          "not started, or listens "
          "on another port. Check that `coeval serve` runs and name its address with --url; during "
          "a restart, retry. Of an export it is another program's server; what that server took "
          "before stays there, and the same command goes on from it.",
          ""};
    case Code::header_too_large:
      return {
          "Request line and header fields together exceed the limit. Large cookies or tokens added "
          "by a proxy are the "
          "usual cause. Remove fields that this server does not need.",
          ""};
    case Code::request_timeout:
      return {
          "The connection was open but the rest of the request did not come within the limit. Slow "
          "networks and clients that "
          "announce a longer body than they send cause this. Check Content-Length, and send the "
          "request again.",
          ""};
    case Code::unsupported_encoding:
      return {
          "The server decodes bodies that were compressed once, with gzip or zstd, and reads JSON "
          "and "
          "NDJSON. This one was compressed otherwise, or is of another format, such as Arrow. The "
          "message names the header that says so. Send it in one of these ways; files of other "
          "formats are loaded with `coeval ingest`.",
          ""};
    case Code::stale_feature:
      return {
          "An aggregate with max_age and on_stale = \"refuse\" has no event that is new enough at "
          "the "
          "question's time, so a model that reads it does not answer: neither the server (nothing "
          "is "
          "logged as a prediction) nor a dataset, where such a row is in no part. Find out why no "
          "events come in; or give a greater max_age, or state with default what to use instead.",
          "on_stale = \"refuse\" → on_stale = \"default\", default = 0"};
    case Code::key_reused:
      return {
          "The header Idempotency-Key names one request, so that a client whose answer was lost "
          "can "
          "send the request again and nothing is taken twice. The server has taken a request with "
          "this key, to the same source, within the last 24 hours, and its body was another one. "
          "Nothing of this request was taken. Use a new key for every new request, for instance a "
          "random UUID, and keep key and body together when sending again.",
          "Idempotency-Key: \"a\" for two batches → one key for each batch"};
    case Code::request_under_way:
      return {
          "A request with the same Idempotency-Key is being written to disk at this moment, for "
          "instance because a client sent it twice on two connections. Its answer can be had when "
          "it is durable. Send the request again, with the same key and the same body, after the "
          "time that Retry-After names.",
          ""};
    case Code::usage:
      return {
          "A verb, option or argument is not known, is missing, or has a value that cannot be "
          "used. The message names it. "
          "Run `coeval VERB --help` to see what the verb takes, or `coeval help` for the list of "
          "verbs.",
          ""};
    case Code::audit_differs:
      return {
          "What was served and what comes out when it is computed again are not the same bits. The "
          "log or the history may have "
          "been changed since, or an event arrived later than its source claims. Read the first "
          "differing feature in "
          "the report and run `coeval explain PREDICTION --feature NAME` to see its events.",
          ""};
    case Code::changes_pending:
      return {
          "The definition or the data differ from those of the last build, so what is served and "
          "what is written apart. "
          "`coeval plan` says what changed and what follows from it. Run `coeval build`, or undo "
          "the change.",
          ""};
    case Code::not_built:
      return {
          "There is no version yet that the command could show, promote or serve. A fresh clone "
          "has none, since models are "
          "not committed. Run `coeval build`, then `coeval promote` to make the version the "
          "champion.",
          ""};
  }
  return {};
}

}  // namespace coeval
