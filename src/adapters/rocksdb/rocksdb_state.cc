#include "adapters/rocksdb/rocksdb_state.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <cstdarg>
#include <exception>
#include <utility>

#include "adapters/rocksdb/background_errors.h"
#include "data/row_codec.h"
#include "stores/files.h"

namespace coeval::rocksdb_adapter {

namespace {

using stores::StateStore;
using stores::StateUnit;
using stores::UnitKey;

constexpr std::size_t kPartBytes = 4;
constexpr double kFilterBitsPerKey = 10;
constexpr std::uint64_t kManifestBytes = 1u << 20;  // then another one is begun

// RocksDB's diagnostics go nowhere. Its own logger is a file in the folder, and 7.8.3 with its
// assertions, as Debian builds it, ends the process when it writes to that file once more after a
// write has failed (WritableFileWriter::Append by EnvLogger::Logv): so a full disk did.
class NoLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, std::va_list) override {}
};

std::string stored_key(std::uint32_t part, std::string_view key) {
  std::string out;
  out.reserve(kPartBytes + key.size());
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(part >> shift & 0xFF);
  return out += key;
}

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

constexpr std::string_view kAtOnce = "";
constexpr std::string_view kAfterRestart = ", then restart: it is not written before";

// `when`: what must come after the disk has room, or is well again, before a next try.
std::unexpected<Error> error_of(const rocksdb::Status& status, const std::string& doing,
                                const std::string& folder, std::string_view when = kAtOnce) {
  const std::string what =
      "RocksDB cannot " + doing + " the state in '" + folder + "': " + status.ToString();
  if (status.IsCorruption())
    return fail(Code::snapshot_corrupt, what,
                "move the folder away: the state is rebuilt from the log");
  if (status.IsNoSpace()) return fail(Code::disk_full, what, "make room on the disk" + std::string(when));
  const bool is_held = status.IsIOError() && status.ToString().find("lock") != std::string::npos;
  if (is_held) return fail(Code::log_locked, what, "end the other process that has it open");
  return fail(Code::io, what, "check the disk and the folder's permissions" + std::string(when));
}

// What a write may cause is kept small and known, so that the disk can be asked for it before
// (disk_room.h).
rocksdb::Options options_of(const stores::StateStoreOptions& asked,
                            std::shared_ptr<BackgroundErrors> errors) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(asked.cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
  // What is not in the cache is on disk: index and filters too.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = asked.write_buffer_bytes;
  options.target_file_size_base = asked.write_buffer_bytes;
  options.max_bytes_for_level_base = 4 * asked.write_buffer_bytes;
  options.max_compaction_bytes = compaction_bytes(asked.write_buffer_bytes);
  options.compression = rocksdb::kLZ4Compression;  // zstd: reads took ten times as long
  options.max_background_jobs = 2;                 // one flush and one compaction
  options.max_manifest_file_size = kManifestBytes;
  options.allow_fallocate = false;  // files take what they hold
  options.info_log = std::make_shared<NoLogger>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.listeners.push_back(std::move(errors));
  return options;
}

class RocksdbState final : public StateStore {
 public:
  struct Setting {
    std::string folder;
    FreeBytes free_bytes;
    std::uint64_t write_buffer_bytes = 0;
    std::shared_ptr<BackgroundErrors> errors;
  };
  RocksdbState(std::unique_ptr<rocksdb::DB> database, Setting setting)
      : database_(std::move(database)), setting_(std::move(setting)), folder_(setting_.folder) {}

  Result<std::optional<Position>> position() override {
    if (position_) return position_;
    std::string bytes;
    const auto status = database_->Get({}, position_key(), &bytes);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return error_of(status, "read", folder_);
    data::ByteReader reader(bytes);
    Position found;
    if (!reader.u64(found.value) || reader.remaining() > 0)
      return error_of(rocksdb::Status::Corruption("its position"), "read", folder_);
    position_ = found;
    return position_;
  }

  Status write(std::span<const StateUnit> units, Position position) override {
    COEVAL_ASSIGN(const auto present, this->position());
    COEVAL_TRY(stores::check_write(units, position, present));
    rocksdb::WriteBatch batch;
    for (const StateUnit& unit : units) {
      const std::string key = stored_key(unit.part, unit.key);
      const auto put =
          unit.bytes ? batch.Put(slice(key), slice(*unit.bytes)) : batch.Delete(slice(key));
      if (!put.ok()) return error_of(put, "write", folder_);
    }
    std::string bytes;
    data::put_u64(bytes, position.value);
    if (const auto put = batch.Put(position_key(), bytes); !put.ok())
      return error_of(put, "write", folder_);
    COEVAL_TRY(make_writable(batch.GetDataSize()));
    rocksdb::WriteOptions options;
    options.sync = true;
    position_.reset();  // what an error leaves is for reading to say
    if (const auto written = database_->Write(options, &batch); !written.ok())
      return error_of(written, "write", folder_);
    position_ = position;
    return {};
  }

  Result<std::vector<std::optional<std::string>>> read(std::span<const UnitKey> keys) override {
    std::vector<std::string> stored;
    stored.reserve(keys.size());
    for (const UnitKey& key : keys) stored.push_back(stored_key(key.part, key.key));
    const std::vector<rocksdb::Slice> slices(stored.begin(), stored.end());
    std::vector<std::string> bytes;
    const auto statuses = database_->MultiGet({}, slices, &bytes);
    std::vector<std::optional<std::string>> found;
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      if (!statuses[i].ok() && !statuses[i].IsNotFound())
        return error_of(statuses[i], "read", folder_);
      found.push_back(statuses[i].ok() ? std::optional(std::move(bytes[i])) : std::nullopt);
    }
    return found;
  }

  Status scan(std::uint32_t part, const stores::TakeUnit& take) override {
    const std::string begin = stored_key(part, {}), end = stored_key(part + 1, {});
    const rocksdb::Slice bound = slice(end);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &bound;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(options));
    for (at->Seek(slice(begin)); at->Valid(); at->Next()) {
      const std::string_view key(at->key().data() + kPartBytes, at->key().size() - kPartBytes);
      COEVAL_TRY(take({part, key, std::string_view(at->value().data(), at->value().size())}));
    }
    if (!at->status().ok()) return error_of(at->status(), "read", folder_);
    return {};
  }

  Result<std::uint64_t> size_bytes() override {
    std::uint64_t files = 0, buffers = 0;
    database_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &files);
    database_->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &buffers);
    return files + buffers;
  }

 private:
  static const std::string& position_key() {
    static const std::string key = stored_key(kNoPart, "position");
    return key;
  }

  // Looks for room, and ends the state of error that an earlier failure left RocksDB in.
  Status make_writable(std::uint64_t batch_bytes) {
    if (const auto found = setting_.errors->found(); found && !can_resume(*found))
      return error_of(found->status, "write", folder_, kAfterRestart);
    COEVAL_TRY(check_room(setting_.free_bytes, folder_,
                          bytes_needed(*database_, batch_bytes, setting_.write_buffer_bytes),
                          "write"));
    if (!setting_.errors->found()) return {};
    setting_.errors->forget();
    const auto resumed = database_->Resume();
    if (!resumed.ok()) return error_of(resumed, "go on writing", folder_);
    return {};
  }

  // After a failed flush, compaction or manifest RocksDB writes other files in the place of those
  // that failed. So it does with a write-ahead log, but only where there is something in memory to
  // flush; else the next write would go to the file that failed, which ends the process.
  bool can_resume(const BackgroundErrors::Found& found) {
    if (found.status.severity() > rocksdb::Status::kHardError) return false;
    std::uint64_t entries = 0;
    database_->GetIntProperty(rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries);
    return !found.in_write_path || entries > 0;
  }

  std::unique_ptr<rocksdb::DB> database_;
  const Setting setting_;
  const std::string& folder_;
  std::optional<Position> position_;  // when it is known
};

class RocksdbStates final : public stores::StateStores {
 public:
  explicit RocksdbStates(FreeBytes free_bytes) : free_bytes_(std::move(free_bytes)) {}

  Result<std::unique_ptr<StateStore>> open(const std::string& folder,
                                           const stores::StateStoreOptions& options) override {
    COEVAL_TRY(stores::make_folders(folder));
    COEVAL_TRY(check_room(free_bytes_, folder, bytes_needed_to_open(folder), "open"));
    auto errors = std::make_shared<BackgroundErrors>();
    rocksdb::DB* database = nullptr;
    const auto opened = rocksdb::DB::Open(options_of(options, errors), folder, &database);
    if (!opened.ok()) return error_of(opened, "open", folder);
    return std::make_unique<RocksdbState>(
        std::unique_ptr<rocksdb::DB>(database),
        RocksdbState::Setting{folder, free_bytes_, options.write_buffer_bytes, std::move(errors)});
  }

 private:
  const FreeBytes free_bytes_;
};

}  // namespace

std::unique_ptr<stores::StateStores> make_rocksdb_states(FreeBytes free_bytes) {
  return std::make_unique<RocksdbStates>(std::move(free_bytes));
}

}  // namespace coeval::rocksdb_adapter

int coeval_state_stores_v1(coeval::stores::StateStores** out) {
  try {
    *out = coeval::rocksdb_adapter::make_rocksdb_states().release();
    return 0;
  } catch (const std::exception&) {
    return 1;
  }
}
