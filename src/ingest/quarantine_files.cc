#include "ingest/quarantine_files.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "data/json.h"
#include "quality/quarantine_line.h"
#include "stores/file_window.h"
#include "stores/files.h"

namespace coeval::ingest {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kFlushBytes = std::size_t{1} << 20;
constexpr std::size_t kReadBytes = std::size_t{1} << 20;
// A line holds a row of at most 16 MiB, of which JSON can make six times as many bytes.
constexpr std::size_t kMostLineBytes = std::size_t{256} << 20;
constexpr std::int64_t kDamagedNamed = 3;
constexpr std::string_view kEnding = ".jsonl";
constexpr std::string_view kNextEnding = ".next";
constexpr std::string_view kTornEnding = ".torn";  // a source may be called "aside"

std::string batch_file(const std::string& source, const std::string& batch) {
  return source + "/" + batch + std::string(kEnding);
}

// What is said of rows that are about to leave.
struct Intent {
  std::string id;
  std::vector<std::string> files;
};

std::string intent_path(const std::string& folder, const std::string& source) {
  return folder + "/" + source + ".leaving";
}

Result<std::optional<Intent>> read_intent(const std::string& folder, const std::string& source) {
  const std::string path = intent_path(folder, source);
  const auto text = stores::read_file(path);
  if (!text && text.error().code == Code::no_such_file) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  const auto json = data::parse_json(*text);
  const data::Json* id = json ? json->find("id") : nullptr;
  const data::Json* files = json ? json->find("files") : nullptr;
  if (id == nullptr || id->string() == nullptr || files == nullptr || files->array() == nullptr)
    return fail(Code::bad_json, "'" + path + "' does not say which rows leave the quarantine",
                "restore it from a backup, or remove it together with the .next files beside it");
  Intent intent{*id->string(), {}};
  for (const auto& file : *files->array())
    if (file.string() != nullptr) intent.files.push_back(*file.string());
  return intent;
}

bool is_committed(const Intent& intent, const Ledger& ledger) {
  return ledger.has_batch(intent.id) || ledger.has_dropped(intent.id);
}

bool exists(const std::string& path) {
  std::error_code none;
  return fs::exists(path, none);
}

// Removes or moves the files of an intent, then the intent.
Status complete(const std::string& folder, const std::string& source, const Intent& intent,
                stores::FileLayer& files) {
  for (const std::string& name : intent.files) {
    const std::string path = folder + "/" + name, next = path + std::string(kNextEnding);
    if (!exists(next)) continue;
    std::error_code none;
    const bool is_empty = fs::file_size(next, none) == 0;
    COEVAL_TRY(files.rename(next, path));
    if (is_empty) COEVAL_TRY(files.remove(path));
    COEVAL_TRY(files.sync_folder(stores::folder_of(path)));
  }
  COEVAL_TRY(files.remove(intent_path(folder, source)));
  return files.sync_folder(folder);
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code none;
  for (fs::directory_iterator file(folder, none), end; !none && file != end; file.increment(none))
    names.push_back(file->path().filename().string());
  std::ranges::sort(names);
  return names;
}

DamagedLine damaged_line(const QuarantineFile& file, std::int64_t number, std::uint64_t offset,
                         const Error& error) {
  return {number, offset,
          "line " + std::to_string(number) + " of '" + file.path + "', at byte " +
              std::to_string(offset),
          error.message};
}

bool is_of_dead_run(const std::string& name) {
  return name.ends_with(kNextEnding) || stores::is_pending_name(name);
}

}  // namespace

void DamagedLines::add(const DamagedLine& line) {
  if (++count_ <= kDamagedNamed) named_.push_back(line.place + ", is damaged: " + line.why);
}

std::vector<std::string> DamagedLines::texts() const {
  std::vector<std::string> texts = named_;
  if (count_ > kDamagedNamed)
    texts.push_back("and " + std::to_string(count_ - kDamagedNamed) + " more damaged lines");
  return texts;
}

Status check_source_name(std::string_view source) {
  if (!source.empty() && source.front() != '.' && source.find('/') == std::string::npos &&
      source.find('\0') == std::string::npos)
    return {};
  return fail(Code::io,
              "a source of this name cannot have a quarantine: '" + std::string(source) + "'",
              "name it without '/' and without a leading '.'");
}

std::string quarantine_folder(const std::string& state_folder) {
  return state_folder + "/quarantine";
}

std::string aside_folder(const std::string& state_folder) {
  return quarantine_folder(state_folder) + "/aside";
}

Status BatchQuarantine::add(const quality::QuarantinedRow& row) {
  if (!file_) {
    COEVAL_TRY(check_source_name(source_));
    const std::string folder = quarantine_folder(state_folder_);
    COEVAL_TRY(stores::make_folders(state_folder_));
    COEVAL_TRY(stores::make_private_folder(folder));
    COEVAL_TRY(stores::make_private_folder(folder + "/" + source_));
    COEVAL_ASSIGN(auto file,
                  stores::PendingFile::create(folder + "/" + batch_file(source_, batch_), files_,
                                              stores::FileLayer::Open::create_private));
    file_.emplace(std::move(file));
  }
  lines_ += quality::quarantine_line(row);
  ++rows_;
  if (lines_.size() < kFlushBytes) return {};
  return file_->write(std::exchange(lines_, {}));
}

Status BatchQuarantine::publish() {
  if (!file_) return {};
  COEVAL_TRY(file_->write(std::exchange(lines_, {})));
  return file_->publish();
}

Result<std::vector<QuarantineFile>> quarantine_files(const std::string& state_folder,
                                                     const std::string& source,
                                                     const Ledger& ledger) {
  COEVAL_TRY(check_source_name(source));
  const std::string folder = quarantine_folder(state_folder);
  COEVAL_ASSIGN(const auto intent, read_intent(folder, source));
  const bool leaving = intent && is_committed(*intent, ledger);
  std::vector<QuarantineFile> files;
  const auto add = [&](const std::string& name, const std::string& batch) {
    const std::string path = folder + "/" + name, next = path + std::string(kNextEnding);
    const bool replaced =
        leaving && std::ranges::find(intent->files, name) != intent->files.end() && exists(next);
    if (replaced || exists(path)) files.push_back({replaced ? next : path, name, batch, false});
  };
  for (const auto& batch : ledger.batches())
    if (batch.record.source == source && batch.record.counts.quarantined > 0)
      add(batch_file(source, batch.record.id), batch.record.id);
  add(source + std::string(kEnding), {});
  return files;
}

std::vector<QuarantineFile> held_quarantine_files(const std::string& state_folder,
                                                  const std::string& source, const Ledger& ledger,
                                                  const std::vector<HeldBatch>& held) {
  std::vector<QuarantineFile> files;
  for (const HeldBatch& one : held) {
    const std::string& id = one.record.id;
    if (one.record.source != source || ledger.has_batch(id)) continue;  // released by now
    const std::string name = batch_file(source, id);
    const std::string path = quarantine_folder(state_folder) + "/" + name;
    if (exists(path)) files.push_back({path, name, id, true});
  }
  return files;
}

Status read_rows(const QuarantineFile& file, const QuarantineVisit& visit) {
  COEVAL_ASSIGN(auto window, stores::FileWindow::open(file.path));
  data::JsonParser parser;
  std::uint64_t at = 0;
  std::size_t asked = kReadBytes;
  for (std::int64_t number = 1; at < window.size();) {
    COEVAL_ASSIGN(std::string_view text, window.view(at, asked));
    const std::size_t end = text.rfind('\n');
    if (end == std::string_view::npos) {
      if (at + text.size() >= window.size()) return visit.torn ? visit.torn(text) : Status{};
      if (asked >= kMostLineBytes)
        return fail(Code::bad_json, "line " + std::to_string(number) + " of '" + file.path +
                                        "' is longer than any row");
      asked *= 2;
      continue;
    }
    text = text.substr(0, end + 1);
    asked = kReadBytes;
    for (; !text.empty(); ++number) {
      const std::string_view line = text.substr(0, text.find('\n') + 1);
      text.remove_prefix(line.size());
      const auto row =
          quality::parse_quarantine_line(parser, line.substr(0, line.size() - 1), number);
      COEVAL_TRY(row ? visit.row(*row, line)
                     : visit.damaged(damaged_line(file, number, at, row.error()), line));
      at += line.size();
    }
  }
  return {};
}

Status Leaving::end_file() {
  if (!current_) return {};
  if (gone_ > 0) {
    COEVAL_TRY(next_->write(std::exchange(lines_, {})));
    COEVAL_TRY(next_->publish());
    changed_.push_back(current_->name);
  }
  lines_.clear();
  next_.reset();
  current_.reset();
  return {};
}

Status Leaving::begin(const QuarantineFile& file) {
  COEVAL_TRY(end_file());
  const std::string path = quarantine_folder(state_folder_) + "/" + file.name;
  COEVAL_ASSIGN(auto next, stores::PendingFile::create(path + std::string(kNextEnding), files_,
                                                       stores::FileLayer::Open::create_private));
  next_.emplace(std::move(next));
  current_ = file;
  stayed_ = gone_ = 0;
  return {};
}

Status Leaving::stays(std::string_view line) {
  ++stayed_;
  lines_ += line;
  if (lines_.size() < kFlushBytes) return {};
  return next_->write(std::exchange(lines_, {}));
}

Status Leaving::prepare(const std::string& id) {
  COEVAL_TRY(end_file());
  data::Json json{data::Json::Object{}};
  json.set("id", id);
  data::Json::Array names(changed_.begin(), changed_.end());
  json.set("files", std::move(names));
  return stores::write_file_atomically(intent_path(quarantine_folder(state_folder_), source_),
                                       json.dump() + "\n", files_);
}

Status Leaving::finish() {
  const std::string folder = quarantine_folder(state_folder_);
  COEVAL_ASSIGN(const auto intent, read_intent(folder, source_));
  return intent ? complete(folder, source_, *intent, *files_) : Status{};
}

Status settle_quarantine(const std::string& state_folder, const std::string& source,
                         const Ledger& ledger, const std::vector<std::string>& keep,
                         stores::FileLayer& files) {
  COEVAL_TRY(check_source_name(source));
  const std::string folder = quarantine_folder(state_folder);
  if (!exists(folder)) return {};
  COEVAL_ASSIGN(const auto intent, read_intent(folder, source));
  if (intent && is_committed(*intent, ledger)) COEVAL_TRY(complete(folder, source, *intent, files));
  // The intent first: what is beside it must never be taken for what an older one names.
  else if (intent)
    COEVAL_TRY(files.remove(intent_path(folder, source)));
  for (const std::string& name : names_in(folder))
    if ((name.starts_with(source + ".jsonl.") || name.starts_with(source + ".leaving.")) &&
        is_of_dead_run(name))
      COEVAL_TRY(files.remove(folder + "/" + name));
  for (const std::string& name : names_in(folder + "/" + source)) {
    const std::string batch = name.substr(0, name.find('.'));
    if (name.ends_with(kTornEnding)) continue;
    const bool counts = ledger.has_batch(batch) || std::ranges::find(keep, batch) != keep.end();
    if (is_of_dead_run(name) || !counts)
      COEVAL_TRY(files.remove(folder + "/" + source + "/" + name));
  }
  return {};
}

}  // namespace coeval::ingest
