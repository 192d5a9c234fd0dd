// Disks that are really full: a small tmpfs, in a process of its own with a mount namespace of its
// own, so that nothing is left of it and an abort is one failed check.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "adapters/rocksdb/rocksdb_state.h"
#include "stores/state_store_conformance.h"
#include "stores/temporary_folder.h"

namespace coeval::rocksdb_adapter {
namespace {

using namespace stores;

constexpr const char* kDiskVariable = "COEVAL_TEST_SMALL_DISK";
constexpr int kNotPermitted = 77;

bool may_run(const std::string& command) {
  return std::system((command + " true 2>/dev/null").c_str()) == 0;
}

// Runs the test case of this name again with a disk of so many megabytes, whose folder it is given;
// nothing here, where its outcome is checked.
std::optional<std::string> small_disk(const std::string& test, int megabytes) {
  if (const char* folder = std::getenv(kDiskVariable)) return folder;
  const std::string unshare = may_run("unshare -m")     ? "unshare -m"
                              : may_run("unshare -Urm") ? "unshare -Urm"
                                                        : "";
  const TemporaryFolder folder;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command =
      unshare + " sh -c 'mount -t tmpfs -o size=" + std::to_string(megabytes) + "M small " +
      folder.path() + " || exit 77; " + kDiskVariable + "=" + folder.path() + " exec " + self +
      " --test-case=\"" + test + "\"' 2>&1";
  const int status = unshare.empty() ? kNotPermitted << 8 : std::system(command.c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotPermitted)
    MESSAGE("skipped: a tmpfs may not be mounted here");
  else
    CHECK_MESSAGE(status == 0, "a process of its own, see above");
  return std::nullopt;
}

// Takes room on a disk.
class Filler {
 public:
  explicit Filler(std::string disk) : disk_(std::move(disk)), path_(disk_ + "/filler") {}

  void leave(std::uint64_t bytes) {
    const std::uint64_t free = free_bytes_of_disk(disk_).value();
    std::ofstream file(path_, std::ios::binary | std::ios::app);
    const std::string block(4096, 'f');
    for (std::uint64_t taken = 0; taken + bytes + block.size() <= free; taken += block.size())
      file << block << std::flush;
  }
  void make_room() { std::filesystem::remove(path_); }

 private:
  std::string disk_, path_;
};

constexpr std::size_t kKeys = 400;

// Batch `position` writes a tenth of the keys, each with bytes that do not compress.
std::vector<std::pair<std::string, std::string>> batch_of(std::uint64_t position,
                                                          std::size_t unit_bytes) {
  std::mt19937_64 random(position);
  std::vector<std::pair<std::string, std::string>> units;
  for (std::size_t i = 0; i < kKeys / 10; ++i) {
    std::string bytes(unit_bytes, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    units.emplace_back("key" + std::to_string(random() % kKeys), std::move(bytes));
  }
  return units;
}

Status write_batch(StateStore& store, std::uint64_t position, std::size_t unit_bytes) {
  const auto made = batch_of(position, unit_bytes);
  std::vector<StateUnit> units;
  for (const auto& [key, bytes] : made) units.push_back({0, key, bytes});
  return store.write(units, Position{position});
}

StateContent content_at(std::uint64_t position, std::size_t unit_bytes) {
  StateContent content;
  for (std::uint64_t batch = 1; batch <= position; ++batch)
    for (auto& [key, bytes] : batch_of(batch, unit_bytes)) content[{0, key}] = std::move(bytes);
  return content;
}

StateStoreOptions small_options(std::uint64_t write_buffer_bytes = 256u << 10) {
  StateStoreOptions options;
  options.cache_bytes = 1u << 20;
  options.write_buffer_bytes = write_buffer_bytes;
  return options;
}

Result<std::uint64_t> enough(const std::string&) { return 1ull << 40; }

std::unique_ptr<StateStore> open(const std::string& folder, const FreeBytes& free_bytes,
                                 const StateStoreOptions& options = small_options()) {
  auto opened = make_rocksdb_states(free_bytes)->open(folder, options);
  REQUIRE_MESSAGE(opened.has_value(), (opened ? std::string() : one_line(opened.error())));
  return std::move(*opened);
}

TEST_CASE("a full disk refuses writes until there is room") {
  const auto disk = small_disk("a full disk refuses writes until there is room", 32);
  if (!disk) return;
  constexpr std::size_t kUnitBytes = 2000;
  Filler filler(*disk);
  auto store = open(*disk + "/state", free_bytes_of_disk);
  std::uint64_t position = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 40; ++i) REQUIRE(write_batch(*store, ++position, kUnitBytes));
    for (const std::uint64_t left : {2u << 20, 300u << 10, 0u}) {
      filler.leave(left);
      const Status refused = write_batch(*store, position + 1, kUnitBytes);
      REQUIRE(!refused);
      CHECK(refused.error().code == Code::disk_full);
      CHECK(refused.error().message.find("bytes free") != std::string::npos);
      CHECK(store->position().value() == Position{position});
      CHECK((content_of(*store) == content_at(position, kUnitBytes)));
    }
    filler.make_room();
    REQUIRE(write_batch(*store, ++position, kUnitBytes));
    filler.leave(0);
    store.reset();  // with a full disk
    const auto refused = make_rocksdb_states()->open(*disk + "/state", small_options());
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::disk_full);
    filler.make_room();
    store = open(*disk + "/state", free_bytes_of_disk);
    CHECK((content_of(*store) == content_at(position, kUnitBytes)));
  }
}

// Writes on a disk of which the store believes that it has room, until that fails, and then on.
// Whether that happened.
bool fill_behind(const std::string& disk, std::uint64_t left, std::size_t unit_bytes,
                 std::uint64_t write_buffer_bytes) {
  const std::string folder = disk + "/state";
  const StateStoreOptions options = small_options(write_buffer_bytes);
  std::filesystem::remove_all(folder);
  Filler filler(disk);
  filler.make_room();  // of the time before
  auto store = open(folder, enough, options);
  std::uint64_t position = 0;
  for (; position < 5;) REQUIRE(write_batch(*store, ++position, unit_bytes));
  filler.leave(left);
  Status written;
  while (position < 300 && (written = write_batch(*store, position + 1, unit_bytes))) ++position;
  if (written) return false;  // what it holds is less than what was left
  CHECK_MESSAGE(written.error().code == Code::disk_full, one_line(written.error()));
  // A failed write may have been done; what fails again changes nothing.
  for (int i = 0; i < 3; ++i)
    if (write_batch(*store, position + 1, unit_bytes)) ++position;
  const std::uint64_t found = store->position().value().value().value;
  CHECK((found == position || found == position + 1));
  CHECK((content_of(*store) == content_at(found, unit_bytes)));
  filler.make_room();
  written = write_batch(*store, position + 1, unit_bytes);
  REQUIRE_MESSAGE(written.has_value(), (written ? std::string() : one_line(written.error())));
  for (++position; position % 10 != 0;) REQUIRE(write_batch(*store, ++position, unit_bytes));
  store.reset();
  store = open(folder, enough, options);
  CHECK(store->position().value() == Position{position});
  CHECK((content_of(*store) == content_at(position, unit_bytes)));
  REQUIRE(write_batch(*store, position + 1, unit_bytes));
  return true;
}

TEST_CASE("a disk that fills up behind the store ends nothing") {
  const auto disk = small_disk("a disk that fills up behind the store ends nothing", 16);
  if (!disk) return;
  int failed = 0;
  for (const std::uint64_t write_buffer : {64u << 10, 4u << 20})
    for (const std::size_t unit_bytes : {100u, 1500u, 9000u})
      for (std::uint64_t left = 0; left < 3'000'000; left = left * 2 + 4096)
        failed += fill_behind(*disk, left, unit_bytes, write_buffer) ? 1 : 0;
  CHECK(failed > 25);
}

// Another writer of the disk that takes and gives back room while the store writes.
TEST_CASE("a disk that fills up and empties again at any time ends nothing") {
  const auto disk =
      small_disk("a disk that fills up and empties again at any time ends nothing", 24);
  if (!disk) return;
  constexpr std::size_t kUnitBytes = 1500;
  const std::string folder = *disk + "/state";
  std::atomic<bool> ends = false;
  std::atomic<std::uint64_t> tries = 0, fillings = 0;
  std::thread other([&] {
    Filler filler(*disk);
    std::mt19937_64 random(3);
    const auto wait_for_tries = [&] {
      for (const std::uint64_t until = tries + 1 + random() % 20; !ends && tries < until;)
        std::this_thread::yield();
    };
    while (!ends) {
      filler.leave(random() % 2 == 0 ? 0 : random() % 2'000'000);
      wait_for_tries();
      filler.make_room();
      wait_for_tries();
      ++fillings;
    }
  });
  for (const FreeBytes& free_bytes : {FreeBytes(enough), FreeBytes(free_bytes_of_disk)}) {
    std::filesystem::remove_all(folder);
    std::unique_ptr<StateStore> store;
    std::uint64_t position = 0, failed = 0;
    // However quickly tries are refused while the disk is being filled, some find room.
    const std::uint64_t fillings_before = fillings;
    for (int i = 0; i < 1500 || fillings < fillings_before + 20; ++i) {
      ++tries;
      if (!store) {
        auto opened = make_rocksdb_states(free_bytes)->open(folder, small_options());
        if (!opened) {
          ++failed;
          CHECK(opened.error().code == Code::disk_full);
          continue;
        }
        store = std::move(*opened);
        const std::uint64_t found = store->position().value().value_or(Position{0}).value;
        CHECK((found == position || found == position + 1));
        position = found;
        CHECK((content_of(*store) == content_at(position, kUnitBytes)));
      }
      const Status written = write_batch(*store, position + 1, kUnitBytes);
      position += written ? 1 : 0;
      if (written) continue;
      ++failed;
      CHECK_MESSAGE(written.error().code == Code::disk_full, one_line(written.error()));
      if (i % 10 == 9) store.reset();
    }
    CHECK(position > 20);
    CHECK(failed > 20);
  }
  ends = true;
  other.join();
}

}  // namespace
}  // namespace coeval::rocksdb_adapter
