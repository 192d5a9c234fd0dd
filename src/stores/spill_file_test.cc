#include "stores/spill_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <vector>

#include "stores/faulty_files.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {
namespace {

std::string random_bytes(std::mt19937& random, std::size_t size, unsigned values) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() % values);
  return bytes;
}

// A file without a name can still be opened by its descriptor: that of the process which ends in
// the name that it had.
int open_again(const std::string& path) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code none;
    const std::string target = std::filesystem::read_symlink(entry.path(), none).string();
    if (target.starts_with(path)) return ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
  }
  return -1;
}

TEST_CASE("blocks come back as they were, in any order, and the file has no name meanwhile") {
  const TemporaryFolder folder;
  auto file = SpillFile::create(folder.path());
  REQUIRE(file);
  CHECK(std::filesystem::is_empty(folder.path()));
  std::mt19937 random(3);
  std::vector<std::string> written = {"", "a"};
  for (int i = 0; i < 40; ++i)
    written.push_back(random_bytes(random, random() % 100'000, i % 2 == 0 ? 3 : 256));
  std::vector<SpillFile::Block> blocks;
  for (const auto& bytes : written) {
    const auto packed = SpillFile::pack(bytes);
    REQUIRE(packed);
    const auto block = file->append(*packed);
    REQUIRE(block);
    blocks.push_back(*block);
  }
  CHECK(file->bytes() < 30'000'000);
  const SpillFile moved = std::move(*file);
  for (std::size_t i = written.size(); i-- > 0;) {
    const auto read = moved.read(blocks[i]);
    REQUIRE(read);
    CHECK(*read == written[i]);
  }
}

TEST_CASE("a block that was changed or cut on the disk is an error that names the file") {
  const TemporaryFolder folder;
  auto file = SpillFile::create(folder.path());
  REQUIRE(file);
  std::mt19937 random(5);
  const auto first = SpillFile::pack(random_bytes(random, 5000, 256));
  const auto second = SpillFile::pack(random_bytes(random, 5000, 256));
  REQUIRE(first);
  REQUIRE(second);
  const auto a = file->append(*first), b = file->append(*second);
  REQUIRE(a);
  REQUIRE(b);
  const int fd = open_again(file->path());
  REQUIRE(fd >= 0);
  const auto at = static_cast<off_t>(a->at + 100);
  char byte = 0;
  REQUIRE(::pread(fd, &byte, 1, at) == 1);
  byte = static_cast<char>(byte ^ 4);
  REQUIRE(::pwrite(fd, &byte, 1, at) == 1);
  const auto changed = file->read(*a);
  REQUIRE_FALSE(changed);
  CHECK(changed.error().code == Code::bad_file);
  CHECK(changed.error().message.find(file->path()) != std::string::npos);
  CHECK(file->read(*b));
  REQUIRE(::ftruncate(fd, static_cast<off_t>(b->at + 10)) == 0);
  const auto cut = file->read(*b);
  REQUIRE_FALSE(cut);
  CHECK(cut.error().code == Code::bad_file);
  ::close(fd);
}

TEST_CASE("a full disk is said to be full, and leaves nothing behind") {
  const TemporaryFolder folder;
  const auto files = std::make_shared<FaultyFiles>();
  files->plan().room_bytes = 3000;
  auto file = SpillFile::create(folder.path(), files);
  REQUIRE(file);
  std::mt19937 random(5);
  const auto packed = SpillFile::pack(random_bytes(random, 2000, 256));
  REQUIRE(packed);
  CHECK(file->append(*packed));
  const auto full = file->append(*packed);
  REQUIRE_FALSE(full);
  CHECK(full.error().code == Code::disk_full);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a folder that is not there is an error") {
  const auto file = SpillFile::create("/there/is/no/such/folder");
  REQUIRE_FALSE(file);
  CHECK(file.error().code == Code::no_such_file);
}

}  // namespace
}  // namespace coeval::stores
