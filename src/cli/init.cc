#include <filesystem>

#include "cli/commands.h"
#include "cli/observe.h"
#include "stores/files.h"

namespace coeval::cli {

namespace {

// A definition that checks as it is, with the places to change marked by the words in capitals.
constexpr const char* kTemplate =
    R"toml(# A coeval project. `coeval check` reads it; docs/language.md tells all of it.

[project]
name = "PROJECT"

# A stream of events. Rows of the file are the past; POST /v1/events/events adds the present.
[source.events]
path  = "events.parquet"            # .parquet, .csv or .jsonl
time  = "ts"                        # when it happened
known = "ts + minutes(5)"           # when you could have used it; be honest, the audit is
[source.events.columns]
ts      = { type = "timestamp", known = "ts" }
user    = { type = "string", known = "ts" }
amount  = { type = "float64", known = "ts", min = 0 }
outcome = { type = "int32", min = 0, max = 1 }   # no `known`: known only when the row is

# Aggregates by key over windows, each event counted once it is known.
[view.user]
from    = "events"
by      = ["user"]
windows = ["1h", "1d", "7d"]
events  = "count()"                 # -> user.events_1h, user.events_1d, user.events_7d
amount  = "mean(amount)"
bad     = "mean(outcome = 1)"

# Expressions over the question's own columns and view values.
[features]
jump = "amount / user.amount_7d"

[model.risk]
question = { from = "events", at = "ts" }
label    = "outcome = 1"
inputs   = ["hour", "amount", "user.*", "jump"]
trainer  = "xgboost"
split    = { train_until = 2024-03-01, validate_until = 2024-04-01, test_until = 2024-05-01 }
gate     = { auc = ">= 0.6", calibration_error = "<= 0.05" }
)toml";

std::string epoch_warning(const std::string& path, const quality::ObservedColumn& column) {
  return "warning: column '" + column.name + "' of " + path + " looks like " + column.epoch_unit +
         " since the epoch, and a timestamp is RFC 3339 text or a number of microseconds" +
         (column.epoch_example.empty() ? "" : ": " + column.epoch_example) +
         "; convert it before it is declared a timestamp";
}

// A definition of the files that were named, each as a path from the project's folder.
Result<std::string> propose(Context& context, const std::string& project_name,
                            const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<quality::ObservedFile> files;
  for (const std::string& path : context.in.files) {
    context.terminal.say("reading " + path);
    COEVAL_ASSIGN(quality::ObservedFile file, observe_file(context.formats, path));
    for (const quality::ObservedColumn& column : file.columns)
      if (!column.epoch_unit.empty()) context.terminal.say(epoch_warning(path, column));
    std::error_code failed;
    const fs::path near = fs::relative(path, folder, failed);
    if (!failed && !near.empty()) file.path = near.string();
    files.push_back(std::move(file));
  }
  return quality::propose_definition(project_name, files);
}

std::string fill(const std::string& project_name) {
  std::string text = kTemplate;
  const std::string mark = "\"PROJECT\"";
  return text.replace(text.find(mark), mark.size(), "\"" + project_name + "\"");
}

}  // namespace

int init(Context& context) {
  namespace fs = std::filesystem;
  const std::string folder = context.in.subject.empty() ? context.in.folder : context.in.subject;
  if (auto made = stores::make_folders(folder); !made) return context.report(made.error());
  const std::string path = (fs::path(folder) / "coeval.toml").lexically_normal().string();
  if (fs::exists(path))
    return context.report(
        Error{Code::usage, path + " is there already", "nothing was changed", {}, {}});
  std::error_code ignored;
  std::string project_name = fs::weakly_canonical(folder, ignored).filename().string();
  for (char& c : project_name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  if (project_name.empty()) project_name = "project";
  const auto text = context.in.files.empty() ? Result<std::string>(fill(project_name))
                                             : propose(context, project_name, folder);
  if (!text) return context.report(text.error());
  if (auto written = stores::write_file_atomically(path, *text); !written)
    return context.report(written.error());
  const std::string ignore = (fs::path(folder) / ".gitignore").string();
  if (!fs::exists(ignore))
    if (auto written = stores::write_file_atomically(ignore, ".coeval/\n"); !written)
      return context.report(written.error());
  if (context.terminal.json()) {
    data::Json json{data::Json::Object{}};
    json.set("wrote", path);
    context.terminal.print_json(json);
    return 0;
  }
  context.terminal.print("wrote " + path +
                         (context.in.files.empty()
                              ? "; next: put your columns in, then coeval check"
                              : "; next: say there when rows become known, then coeval check"));
  return 0;
}

}  // namespace coeval::cli
