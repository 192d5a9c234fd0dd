#include "adapters/rocksdb/rocksdb_state.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <exception>
#include <mutex>
#include <shared_mutex>
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

std::unexpected<Error> error_of(const rocksdb::Status& status, const std::string& doing,
                                const std::string& folder) {
  const std::string what =
      "RocksDB cannot " + doing + " the state in '" + folder + "': " + status.ToString();
  if (status.IsCorruption())
    return fail(Code::snapshot_corrupt, what,
                "move the folder away: the state is rebuilt from the log");
  if (status.IsNoSpace())
    return fail(Code::disk_full, what, "make room on the disk: the next try goes on");
  const bool is_held = status.IsIOError() && status.ToString().find("lock") != std::string::npos;
  if (is_held) return fail(Code::log_locked, what, "end the other process that has it open");
  return fail(Code::io, what, "check the disk and the folder's permissions");
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

// Opening for reading takes no lock. Who has the folder open for writing has one on this file.
Status check_not_open(const std::string& folder) {
  const std::string path = folder + "/LOCK";
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(stores::error_from_errno(errno, "open the state's", path));
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const int asked = ::fcntl(file, F_GETLK, &lock);
  const int number = errno;
  ::close(file);
  if (asked != 0) return std::unexpected(stores::error_from_errno(number, "ask for", path));
  if (lock.l_type == F_UNLCK) return {};
  return fail(Code::log_locked,
              "the state in '" + folder + "' is open in process " + std::to_string(lock.l_pid),
              "end it first");
}

// A folder that is open, with what went wrong in the background since.
struct Opened {
  std::unique_ptr<rocksdb::DB> database;
  std::shared_ptr<BackgroundErrors> errors;
};

Result<Opened> open_database(const std::string& folder, const stores::StateStoreOptions& asked,
                             bool for_writing) {
  Opened opened;
  opened.errors = std::make_shared<BackgroundErrors>();
  const rocksdb::Options options = options_of(asked, opened.errors);
  rocksdb::DB* database = nullptr;
  const auto status = for_writing ? rocksdb::DB::Open(options, folder, &database)
                                  : rocksdb::DB::OpenForReadOnly(options, folder, &database);
  opened.database.reset(database);
  if (!status.ok()) return error_of(status, "open", folder);
  return opened;
}

class RocksdbState final : public StateStore {
 public:
  RocksdbState(Opened opened, std::string folder, stores::StateStoreOptions options,
               FreeBytes free_bytes, bool for_writing)
      : opened_(std::move(opened)),
        folder_(std::move(folder)),
        options_(options),
        free_bytes_(std::move(free_bytes)),
        for_writing_(for_writing) {}

  Result<std::optional<Position>> position() override {
    if (position_) return position_;
    const std::shared_lock lock(changing_);
    COEVAL_ASSIGN(rocksdb::DB* const database, this->database());
    std::string bytes;
    const auto status = database->Get({}, position_key(), &bytes);
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
    if (!for_writing_)
      return fail(Code::unsupported, "the state in '" + folder_ + "' is open for reading only");
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
    COEVAL_ASSIGN(const auto present, this->position());
    COEVAL_TRY(stores::check_write(units, position, present));
    rocksdb::WriteOptions options;
    options.sync = true;
    position_.reset();  // what an error leaves is for reading to say
    if (const auto written = opened_.database->Write(options, &batch); !written.ok())
      // A write that waited for a compaction tells of the error that this had as "incomplete".
      return error_of(
          opened_.errors->no_space() ? rocksdb::Status::NoSpace(written.ToString()) : written,
          "write", folder_);
    position_ = position;
    return {};
  }

  Result<std::vector<std::optional<std::string>>> read(std::span<const UnitKey> keys) override {
    std::vector<std::string> stored;
    stored.reserve(keys.size());
    for (const UnitKey& key : keys) stored.push_back(stored_key(key.part, key.key));
    const std::vector<rocksdb::Slice> slices(stored.begin(), stored.end());
    std::vector<std::string> bytes;
    const std::shared_lock lock(changing_);
    COEVAL_ASSIGN(rocksdb::DB* const database, this->database());
    const auto statuses = database->MultiGet({}, slices, &bytes);
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
    const std::shared_lock lock(changing_);
    COEVAL_ASSIGN(rocksdb::DB* const database, this->database());
    const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator(options));
    for (at->Seek(slice(begin)); at->Valid(); at->Next()) {
      const std::string_view key(at->key().data() + kPartBytes, at->key().size() - kPartBytes);
      COEVAL_TRY(take({part, key, std::string_view(at->value().data(), at->value().size())}));
    }
    if (!at->status().ok()) return error_of(at->status(), "read", folder_);
    return {};
  }

  Status verify() override {
    const std::shared_lock lock(changing_);
    COEVAL_ASSIGN(rocksdb::DB* const database, this->database());
    if (const auto sound = database->VerifyChecksum(); !sound.ok())
      return error_of(sound, "read", folder_);
    return {};
  }

  Result<std::uint64_t> size_bytes() override {
    std::uint64_t files = 0, buffers = 0;
    const std::shared_lock lock(changing_);
    COEVAL_ASSIGN(rocksdb::DB* const database, this->database());
    database->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &files);
    database->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &buffers);
    return files + buffers;
  }

 private:
  static const std::string& position_key() {
    static const std::string key = stored_key(kNoPart, "position");
    return key;
  }

  // The calls that read hold it open.
  Result<rocksdb::DB*> database() const {
    if (opened_.database) return opened_.database.get();
    return fail(Code::io, "the state in '" + folder_ + "' could not be opened again after an error",
                "make room on the disk, or restart");
  }

  // Looks for room, and opens the folder anew where an error came before.
  Status make_writable(std::uint64_t batch_bytes) {
    const bool is_sound = opened_.database && is_writable_ && !opened_.errors->found();
    std::uint64_t needed = is_sound ? 0 : bytes_needed_to_open(folder_);
    if (opened_.database)
      needed += bytes_needed(*opened_.database, batch_bytes, options_.write_buffer_bytes);
    COEVAL_TRY(check_room(free_bytes_, folder_, needed, "write"));
    return is_sound ? Status() : open_anew();
  }

  // What a restart would do, for RocksDB does not go on safely by itself: after an error in its
  // write-ahead log with nothing in memory, DB::Resume() lets the next write go to the file that
  // failed, and 7.8.3 with its assertions ends the process; on a disk that is still full it waits
  // for ever. Closing touches no file that failed. Where the folder cannot be opened for writing,
  // it is for reading.
  Status open_anew() {
    const std::unique_lock lock(changing_);
    opened_ = {};
    position_.reset();
    auto opened = open_database(folder_, options_, true);
    is_writable_ = opened.has_value();
    if (opened) {
      opened_ = std::move(*opened);
      return {};
    }
    if (auto readable = open_database(folder_, options_, false)) opened_ = std::move(*readable);
    return std::unexpected(std::move(opened).error());
  }

  mutable std::shared_mutex changing_;  // of what is open, between read() and write()
  Opened opened_;
  bool is_writable_ = true;  // whether what is open is
  const std::string folder_;
  const stores::StateStoreOptions options_;
  const FreeBytes free_bytes_;
  const bool for_writing_;
  std::optional<Position> position_;  // when it is known
};

class RocksdbStates final : public stores::StateStores {
 public:
  explicit RocksdbStates(FreeBytes free_bytes) : free_bytes_(std::move(free_bytes)) {}

  Result<std::unique_ptr<StateStore>> open(const std::string& folder,
                                           const stores::StateStoreOptions& options) override {
    COEVAL_TRY(stores::make_folders(folder));
    COEVAL_TRY(check_room(free_bytes_, folder, bytes_needed_to_open(folder), "open"));
    COEVAL_ASSIGN(auto opened, open_database(folder, options, true));
    return std::make_unique<RocksdbState>(std::move(opened), folder, options, free_bytes_, true);
  }

  Result<std::unique_ptr<StateStore>> open_for_reading(
      const std::string& folder, const stores::StateStoreOptions& options) override {
    COEVAL_TRY(check_not_open(folder));
    COEVAL_ASSIGN(auto opened, open_database(folder, options, false));
    return std::make_unique<RocksdbState>(std::move(opened), folder, options, free_bytes_, false);
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
