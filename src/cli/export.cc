#include <algorithm>

#include "cli/exports.h"
#include "cli/run_text.h"

namespace coeval::cli {

std::span<const Export> exports() {
  static const std::vector<Export> kExports = {
      {"mlflow-run", "URL [RUN …]", export_mlflow_run},
      {"mlflow-model", "[MODEL@vN] FOLDER", export_mlflow_model},
      {"openlineage", "FILE|URL [RUN …]", export_openlineage},
      {"onnx", "MODEL|MODEL@vN FILE.onnx", export_onnx},
  };
  return kExports;
}

std::vector<std::string> export_kinds() {
  std::vector<std::string> kinds;
  for (const Export& each : exports()) kinds.emplace_back(each.kind);
  return kinds;
}

Error export_usage(std::string_view kind) {
  const auto all = exports();
  const auto found = std::ranges::find(all, kind, &Export::kind);
  const std::string usage = found == all.end() ? std::string() : " " + std::string(found->usage);
  return {Code::usage,
          "what is to be exported cannot be understood",
          "coeval export " + std::string(kind) + usage,
          {},
          {}};
}

namespace {

// By a version, so that a model without a run that is recorded says so.
Result<ExportSubject> subject_of_version(Context& context, stores::MetaStore& meta,
                                         stores::RunStore& runs, const std::string& named) {
  COEVAL_ASSIGN(auto made, context.pick_version(meta, named));
  COEVAL_ASSIGN(auto run, find_run(runs, made.model + "@v" + std::to_string(made.version)));
  return ExportSubject{std::move(run), std::move(made)};
}

Result<ExportSubject> subject_of_run(stores::MetaStore& meta, stores::RunStore& runs,
                                     const std::string& id) {
  COEVAL_ASSIGN(auto run, find_run(runs, id));
  ExportSubject subject{std::move(run), std::nullopt};
  COEVAL_ASSIGN(const auto versions, meta.versions(subject.run.model));
  for (const auto& row : versions)
    if (row.version == subject.run.version) subject.version = row;
  return subject;
}

}  // namespace

Result<std::vector<ExportSubject>> export_subjects(Context& context, stores::MetaStore& meta,
                                                   stores::RunStore& runs) {
  std::vector<std::string> named(context.in.words.begin() + 1, context.in.words.end());
  if (named.empty()) named.emplace_back();
  std::vector<ExportSubject> subjects;
  for (const std::string& word : named) {
    // An id begins with a digit, a name of a model does not.
    const bool is_id = !word.empty() && word.front() >= '0' && word.front() <= '9';
    COEVAL_ASSIGN(auto subject, is_id ? subject_of_run(meta, runs, word)
                                      : subject_of_version(context, meta, runs, word));
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

int export_to(Context& context) {
  if (const auto code = context.load_project()) return *code;
  for (const Export& each : exports())
    if (each.kind == context.in.action) return each.run(context);
  return context.report(export_usage(context.in.action));
}

}  // namespace coeval::cli
