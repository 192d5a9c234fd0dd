#include "cli/check_data.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/worker_pool.h"
#include "cli/input_files.h"
#include "define/diagnostics.h"
#include "ingest/inspect.h"
#include "stores/files.h"

namespace coeval::cli {

namespace {

struct DataFile {
  int source = -1;
  std::string path;
};

// "SOURCE=FILE", or "FILE" where there is one source.
Result<DataFile> data_file(const define::Project& project, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals != std::string::npos) {
    const std::string name = text.substr(0, equals);
    if (const int source = project.source_index(name); source >= 0)
      return DataFile{source, text.substr(equals + 1)};
    if (!std::filesystem::exists(text)) {
      std::vector<std::string> names;
      for (const auto& one : project.sources) names.push_back(one.name);
      return fail(Code::unknown_name, "no source '" + name + "'",
                  define::did_you_mean(name, names));
    }
  }
  if (project.sources.size() == 1) return DataFile{0, text};
  return fail(
      Code::usage,
      "'" + text + "' may be of any of " + std::to_string(project.sources.size()) + " sources",
      "write --data SOURCE=" + text);
}

Result<std::vector<DataFile>> data_files(const Context& context) {
  const define::Project& project = *context.project;
  std::vector<DataFile> files;
  for (const std::string& text : context.in.files) {
    if (text.empty()) continue;  // --data without a file
    COEVAL_ASSIGN(const DataFile named, data_file(project, text));
    COEVAL_ASSIGN(const auto paths, files_of(named.path));
    for (const std::string& path : paths) files.push_back({named.source, path});
  }
  if (std::ranges::count(files, "-", &DataFile::path) > 1)
    return fail(Code::usage, "standard input can be read once only", "name '-' once");
  if (!files.empty()) return files;
  for (std::size_t i = 0; i < project.sources.size(); ++i) {
    std::string path = replay::source_path(project, static_cast<int>(i));
    if (!path.empty()) files.push_back({static_cast<int>(i), std::move(path)});
  }
  if (files.empty())
    return fail(Code::usage, "no source of the definition has a file",
                "name one: coeval check --data SOURCE=FILE");
  return files;
}

Status write_reports(const Context& context, const quality::QualityReport& report) {
  if (!context.in.html.empty())
    COEVAL_TRY(stores::write_file_atomically(context.in.html, quality::report_html(report)));
  if (!context.in.junit.empty())
    COEVAL_TRY(stores::write_file_atomically(context.in.junit, quality::report_junit(report)));
  return {};
}

// A dry look leaves no file in the project: standard input waits where temporary files do.
Result<quality::QualityReport> inspect_one(const Context& context, const ingest::Past& past,
                                           const DataFile& file, ingest::InspectOptions options) {
  if (file.path != "-") return ingest::inspect(past, file.source, file.path, options);
  COEVAL_ASSIGN(const std::string folder, stores::temporary_folder());
  COEVAL_ASSIGN(const auto spooled, spool_input(context, folder));
  options.origin = "-";
  auto report = ingest::inspect(past, file.source, spooled.path(), options);
  if (!report) return std::unexpected(about_input(std::move(report).error(), spooled));
  return report;
}

}  // namespace

int check_data(Context& context) {
  const auto files = data_files(context);
  if (!files) return context.report(files.error());
  const bool one_report = context.in.html.empty() && context.in.junit.empty();
  if (!one_report && files->size() > 1)
    return context.report(
        Error{Code::usage,
              "a report is of one file, and there are " + std::to_string(files->size()),
              "name one with --data SOURCE=FILE",
              {},
              {}});
  WorkerPool pool(context.threads());
  ingest::InspectOptions options;
  options.environment =
      context.in.environment == "serve" ? define::Environment::serve : define::Environment::train;
  options.now_us = context.clock.now_us();
  options.pool = &pool;
  const auto log = context.open_log_if_any();
  if (!log) return context.report(log.error());
  const ingest::Past past{*context.project, context.formats, log->get()};
  data::Json all{data::Json::Array{}};
  bool failed = false;
  for (const DataFile& file : *files) {
    const auto report = inspect_one(context, past, file, options);
    if (!report) return context.report(report.error());
    failed = failed || report->failed();
    if (const Status written = write_reports(context, *report); !written)
      return context.report(written.error());
    if (context.terminal.json()) {
      all.push(quality::report_json(*report));
    } else {
      std::string text = quality::report_text(*report);
      text.pop_back();
      context.terminal.print(text);
    }
  }
  if (context.terminal.json()) context.terminal.print_json(all);
  return failed ? info(Code::check_failed).exit_code : 0;
}

}  // namespace coeval::cli
