#include "replay/past.h"

#include <algorithm>
#include <cstdio>
#include <random>

#include "data/hash.h"
#include "data/json.h"
#include "replay/log_rows.h"
#include "replay/versions.h"
#include "stores/record_names.h"

namespace coeval::replay {

namespace {

Status append_rows(SourceHistory& history, const define::Source& source, LogRows& rows) {
  if (rows.known_us.empty()) return {};
  const std::int64_t before = history.rows.rows;
  if (history.file_row.empty())
    for (std::int64_t row = 0; row < before; ++row) history.file_row.push_back(row);
  for (const std::int64_t position : rows.positions) history.file_row.push_back(-1 - position);
  history.known_us.insert(history.known_us.end(), rows.known_us.begin(), rows.known_us.end());
  const std::vector<data::Batch> parts = {std::move(history.rows), rows.finish(source.schema)};
  COEVAL_ASSIGN(history.rows, data::concatenate(parts));
  // Known times of the log never decrease and start at the cut, so position order goes on.
  for (std::int64_t row = before; row < history.rows.rows; ++row) history.order.push_back(row);
  return {};
}

std::string identity(const define::Project& project, const Past& past) {
  std::string text = "past 1\n";
  for (const auto& history : past.sources) {
    if (history.source < 0) continue;
    const auto& source = project.sources[static_cast<std::size_t>(history.source)];
    text += source.name + " " + history.sha256 + " " +
            std::to_string(stores::schema_tag(source.schema)) + "\n";
  }
  if (past.cut_us) text += "cut " + std::to_string(*past.cut_us) + "\n";
  if (past.as_of_us) text += "as of " + std::to_string(*past.as_of_us) + "\n";
  text += "log " + std::to_string(past.log_end) + "\n";
  if (past.trim) text += "log from " + std::to_string(past.trim->first.value) + "\n";
  return data::sha256_hex(text);
}

}  // namespace

std::string new_log_id() {
  std::random_device random;
  std::string id;
  for (int word = 0; word < 4; ++word) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", random());
    id += digits;
  }
  return id;
}

std::string encode(const CutRecord& cut) {
  data::Json json{data::Json::Object{}};
  json.set("cut_us", cut.cut_us);
  data::Json files{data::Json::Object{}};
  for (const auto& [source, sha256] : cut.files) files.set(source, sha256);
  json.set("files", std::move(files));
  if (!cut.log_id.empty()) json.set("log_id", cut.log_id);
  return json.dump();
}

Result<std::optional<CutRecord>> read_cut(const stores::EventLog& log) {
  std::optional<CutRecord> found;
  Status bad;
  COEVAL_TRY(log.read(Position{0}, [&](const stores::Record& record) {
    // What is said of rows that are not in the log may stand before the cut.
    if (record.kind == stores::RecordKind::batch_begin ||
        record.kind == stores::RecordKind::batch_end || record.kind == stores::RecordKind::note)
      return true;
    const auto json = data::parse_json(record.payload);
    const data::Json* cut = json ? json->find("cut_us") : nullptr;
    const data::Json* files = json ? json->find("files") : nullptr;
    if (record.kind != stores::RecordKind::cut || cut == nullptr || cut->integer() == nullptr ||
        files == nullptr || files->object() == nullptr) {
      bad = fail(Code::log_corrupt, "the log does not begin with a record that names the cut");
      return false;
    }
    found = CutRecord{*cut->integer(), {}, {}};
    for (const auto& [source, sha256] : *files->object())
      if (sha256.string() != nullptr) found->files.emplace_back(source, *sha256.string());
    const data::Json* id = json->find("log_id");
    if (id != nullptr && id->string() != nullptr) found->log_id = *id->string();
    return false;
  }));
  if (!bad) return std::unexpected(std::move(bad).error());
  return found;
}

Status append_log(const define::Project& project, const stores::EventLog& log, Position from,
                  std::vector<SourceHistory>& histories, std::uint64_t* end,
                  std::optional<std::int64_t> as_of_us) {
  std::vector<int> sources;
  for (const auto& history : histories)
    if (history.source >= 0) sources.push_back(history.source);
  COEVAL_ASSIGN(auto collector, LogCollector::create(project, sources, log));
  Status failed;
  COEVAL_TRY(log.read(from, [&](const stores::Record& record) {
    if (as_of_us && record.known.us >= *as_of_us) return false;  // known times never decrease
    if (end != nullptr) *end = record.position.value + 1;
    failed = collector.add(record);
    return failed.has_value();
  }));
  COEVAL_TRY(std::move(failed));
  for (auto& [tag, rows] : collector.rows()) {
    if (rows.known_us.empty()) continue;
    SourceHistory& history = histories[static_cast<std::size_t>(rows.source)];
    COEVAL_TRY(append_rows(history, project.sources[static_cast<std::size_t>(rows.source)], rows));
    settle_names(project, history, nullptr);
  }
  return {};
}

Result<Past> load_past(const define::Project& project, const OpenFormat& formats,
                       const PastOptions& options) {
  Past past;
  past.cut_us = options.cut_us;
  past.as_of_us = options.as_of_us;
  past.sources.resize(project.sources.size());
  HistoryOptions history;
  history.cut_us = options.cut_us;
  if (options.as_of_us)
    history.cut_us = std::min(*options.as_of_us, history.cut_us.value_or(*options.as_of_us));
  for (std::size_t i = 0; i < project.sources.size(); ++i) {
    const int source = static_cast<int>(i);
    const auto& wanted = options.sources;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), source) == wanted.end())
      continue;
    COEVAL_ASSIGN(past.sources[i], load_history(project, source, formats, history));
  }
  if (options.log != nullptr) {
    COEVAL_ASSIGN(past.trim, options.log->trim());
    COEVAL_TRY(append_log(project, *options.log, Position{0}, past.sources, &past.log_end,
                          options.as_of_us));
  }
  past.id = identity(project, past);
  return past;
}

}  // namespace coeval::replay
