#include "stores/files.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "stores/append_file.h"
#include "stores/faulty_files.h"
#include "stores/pending_file.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("a file written atomically reads back and replaces the old one whole") {
  const TemporaryFolder folder;
  for (const std::string& content :
       {std::string("one"), std::string(3'000'000, 'x'), std::string()}) {
    REQUIRE(write_file_atomically(folder / "f", content));
    CHECK(read_file(folder / "f").value() == content);
    CHECK(files_in(folder.path()) == 1);
  }
}

TEST_CASE("a full disk during an atomic write leaves the old file and nothing else") {
  const TemporaryFolder folder;
  REQUIRE(write_file_atomically(folder / "f", "old"));
  for (const bool fails_at_sync : {false, true}) {
    auto files = std::make_shared<FaultyFiles>();
    if (fails_at_sync)
      files->plan().syncs_left = 0;
    else
      files->plan().room_bytes = 2;
    const Status written = write_file_atomically(folder / "f", "new content", files);
    REQUIRE(!written);
    CHECK(written.error().code == (fails_at_sync ? Code::io : Code::disk_full));
    CHECK(read_file(folder / "f").value() == "old");
    CHECK(files_in(folder.path()) == 1);
  }
}

TEST_CASE("what dead processes left beside a file is removed, what living ones make is not") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  const std::string dead = folder / ("f.pending-" + std::to_string(child) + "-0");
  const std::string living = folder / ("f.pending-" + std::to_string(::getpid()) + "-0");
  const std::string other = folder / ("g.pending-" + std::to_string(child) + "-0");
  for (const std::string& path : {dead, living, other, folder / "f", folder / "f.pending-x-0"})
    std::ofstream(path) << "content";
  remove_leftovers(folder / "f");  // touched just now
  CHECK(files_in(folder.path()) == 5);
  remove_leftovers(folder / "f", 0);
  CHECK_FALSE(std::filesystem::exists(dead));
  CHECK(files_in(folder.path()) == 4);
  remove_leftovers("/nonexistent/f", 0);
}

TEST_CASE("the system's own full device is reported as disk_full with the path") {
  auto file = disk_files()->open("/dev/full", FileLayer::Open::existing).value();
  const auto written = file->write_some("x");
  REQUIRE(!written);
  CHECK(written.error().code == Code::disk_full);
  CHECK(written.error().message.find("/dev/full") != std::string::npos);
}

TEST_CASE(
    "a pending file that is dropped leaves nothing, and one left by a dead process is passed "
    "over") {
  const TemporaryFolder folder;
  {
    REQUIRE(PendingFile::create(folder / "f", disk_files()).value().write("half"));
  }
  CHECK(files_in(folder.path()) == 0);
  std::ofstream(folder / ("f.pending-" + std::to_string(::getpid()) + "-0")) << "left over";
  REQUIRE(write_file_atomically(folder / "f", "whole"));
  CHECK(read_file(folder / "f").value() == "whole");
}

TEST_CASE("reading says which file is missing, too large, or a folder") {
  const TemporaryFolder folder;
  const auto missing = read_file(folder / "none");
  REQUIRE(!missing);
  CHECK(missing.error().code == Code::no_such_file);
  CHECK(missing.error().message.find(folder / "none") != std::string::npos);
  REQUIRE(write_file_atomically(folder / "f", "12345"));
  CHECK(read_file(folder / "f", 5).value() == "12345");
  CHECK(read_file(folder / "f", 4).error().code == Code::out_of_range);
  CHECK(read_file(folder.path()).error().code == Code::io);
}

TEST_CASE("folders are made with those above, once or again") {
  const TemporaryFolder folder;
  REQUIRE(make_folders(folder / "a/b/c/"));
  REQUIRE(make_folders(folder / "a/b/c"));
  CHECK(std::filesystem::is_directory(folder / "a/b/c"));
  REQUIRE(write_file_atomically(folder / "a/f", ""));
  CHECK(!make_folders(folder / "a/f").has_value());
  CHECK(!make_folders(folder / "a/f/g").has_value());
}

TEST_CASE("folder_of names the folder that holds a path") {
  CHECK(folder_of("a/b/c") == "a/b");
  CHECK(folder_of("c") == ".");
  CHECK(folder_of("/c") == "/");
}

TEST_CASE("system errors become codes with advice") {
  CHECK(error_from_errno(ENOSPC, "write to", "f").code == Code::disk_full);
  CHECK(error_from_errno(EDQUOT, "write to", "f").code == Code::disk_full);
  CHECK(error_from_errno(ENOENT, "open", "f").code == Code::no_such_file);
  const Error error = error_from_errno(EACCES, "open", "f");
  CHECK(error.code == Code::io);
  CHECK(error.message == "cannot open 'f': Permission denied");
  CHECK(!error.advice.empty());
}

TEST_CASE("a lock is held until its holder goes, and moves with it") {
  const TemporaryFolder folder;
  auto first = FileLock::acquire(folder / "lock");
  REQUIRE(first);
  const auto refused = FileLock::acquire(folder / "lock");
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::log_locked);
  CHECK(refused.error().message.find("pid " + std::to_string(::getpid())) != std::string::npos);
  {
    const FileLock moved = std::move(*first);
    CHECK(!FileLock::acquire(folder / "lock").has_value());
  }
  CHECK(FileLock::acquire(folder / "lock").has_value());
}

}  // namespace coeval::stores
