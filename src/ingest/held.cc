#include "ingest/held.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "data/json.h"
#include "stores/files.h"
#include "stores/pending_file.h"
#include "stores/record_names.h"

namespace coeval::ingest {

namespace fs = std::filesystem;
using stores::RecordKind;

namespace {

constexpr const char* kHeldFile = "/held.json";

std::string staged_folder(const std::string& state_folder) { return state_folder + "/staged"; }

std::vector<std::string> folders_in(const std::string& folder) {
  std::vector<std::string> folders;
  std::error_code none;
  for (fs::directory_iterator entry(folder, none), end; !none && entry != end;
       entry.increment(none))
    folders.push_back(entry->path().string());
  std::ranges::sort(folders);
  return folders;
}

Result<HeldBatch> read_held(const std::string& folder) {
  HeldBatch held;
  held.folder = folder;
  const std::string path = folder + kHeldFile;
  COEVAL_ASSIGN(const std::string text, stores::read_file(path));
  const auto json = data::parse_json(text);
  if (!json)
    return fail(Code::bad_json, "'" + path + "' is damaged: " + json.error().message,
                "remove the folder and ingest the file again");
  const data::Json* reasons = json->find("reasons");
  if (reasons == nullptr || reasons->array() == nullptr)
    return fail(Code::bad_json, "'" + path + "' does not say why the batch is held",
                "remove the folder and ingest the file again");
  for (const auto& reason : *reasons->array())
    if (reason.string() != nullptr) held.reasons.push_back(*reason.string());
  COEVAL_ASSIGN(const auto log, stores::open_log_for_reading(folder));
  Status parsed = fail(Code::log_corrupt, "the staged batch in '" + folder + "' is not whole",
                       "remove the folder and ingest the file again");
  COEVAL_TRY(log->read(Position{0}, [&](const stores::Record& record) {
    auto batch = parse_batch(record.payload);
    held.first_known = record.known;
    parsed = batch ? Status{} : std::unexpected(batch.error());
    if (batch) held.record = std::move(*batch);
    return false;
  }));
  COEVAL_TRY(std::move(parsed));
  return held;
}

}  // namespace

Status hold(const std::string& state_folder, const BatchRecord& batch, KnownTime first_known,
            const std::vector<std::string>& reasons, const RowVisit& rows,
            const std::shared_ptr<stores::FileLayer>& files) {
  const std::string folder = staged_folder(state_folder) + "/" + batch.id;
  std::error_code none;
  if (fs::exists(folder, none)) COEVAL_TRY(stores::remove_folder(folder));
  COEVAL_TRY(stores::make_folders(folder));
  stores::LogOptions options;
  options.files = files;
  COEVAL_ASSIGN(auto log, stores::open_log(folder, options));
  const std::uint32_t tag = stores::source_tag(batch.source);
  const std::string payload = encode(batch);
  COEVAL_TRY(log->append({RecordKind::batch_begin, first_known, tag, batch.schema, payload}));
  const auto append = [&](const EncodedRow& row) -> Status {
    COEVAL_TRY(log->append({RecordKind::event, row.known, tag, batch.schema, row.payload}));
    return {};
  };
  COEVAL_TRY(rows(append));
  COEVAL_TRY(log->append({RecordKind::batch_end, first_known, tag, batch.schema, payload}));
  COEVAL_TRY(log->sync());
  data::Json json{data::Json::Object{}};
  json.set("reasons", data::Json::Array(reasons.begin(), reasons.end()));
  return stores::write_file_atomically(folder + kHeldFile, json.dump() + "\n", files);
}

HeldBatches held_batches(const std::string& state_folder) {
  HeldBatches held;
  for (const std::string& folder : folders_in(staged_folder(state_folder))) {
    std::error_code none;
    if (!fs::exists(folder + kHeldFile, none)) continue;
    auto batch = read_held(folder);
    if (batch)
      held.batches.push_back(std::move(*batch));
    else
      held.damaged.push_back({fs::path(folder).filename().string(), std::move(batch).error()});
  }
  return held;
}

RowVisit rows_of(const HeldBatch& held) {
  return [folder = held.folder](const std::function<Status(const EncodedRow&)>& visit) -> Status {
    COEVAL_ASSIGN(const auto log, stores::open_log_for_reading(folder));
    Status visited;
    COEVAL_TRY(log->read(Position{0}, [&](const stores::Record& record) {
      if (record.kind == RecordKind::event) visited = visit({record.known, record.payload});
      return visited.has_value();
    }));
    return visited;
  };
}

Status settle_held(const std::string& state_folder, const Ledger& ledger) {
  for (const std::string& folder : folders_in(staged_folder(state_folder))) {
    std::error_code none;
    const std::string id = fs::path(folder).filename().string();
    if (!fs::exists(folder + kHeldFile, none) || ledger.has_batch(id))
      COEVAL_TRY(stores::remove_folder(folder));
  }
  return {};
}

}  // namespace coeval::ingest
