#include "training/git_commit.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "stores/temporary_folder.h"

namespace coeval::training {

namespace {

const std::string kCommit(40, 'a'), kOther(40, 'b'), kLong(64, 'c');

void write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("the commit is that of the branch, in a file of its own or packed") {
  const stores::TemporaryFolder folder;
  CHECK(git_commit(folder / "project").empty());
  write(folder / ".git/HEAD", "ref: refs/heads/main\n");
  std::filesystem::create_directories(folder / "project/deep");
  CHECK(git_commit(folder / "project/deep").empty());  // no commit yet
  write(folder / ".git/packed-refs", "# pack-refs with: peeled\n" + kOther + " refs/heads/other\n" +
                                         kCommit + " refs/heads/main\n^" + kOther + "\n");
  CHECK(git_commit(folder / "project/deep") == kCommit);
  write(folder / ".git/refs/heads/main", kLong + "\n");
  CHECK(git_commit(folder / "project/deep") == kLong);
  write(folder / ".git/HEAD", kOther + "\n");  // none is checked out by name
  CHECK(git_commit(folder.path()) == kOther);
}

TEST_CASE("a worktree has its own commit, and its branches where the repository is") {
  const stores::TemporaryFolder folder;
  write(folder / "main/.git/HEAD", kOther);
  write(folder / "main/.git/refs/heads/side", kCommit);
  write(folder / "main/.git/worktrees/side/HEAD", "ref: refs/heads/side\n");
  write(folder / "main/.git/worktrees/side/commondir", "../..\n");
  write(folder / "side/.git", "gitdir: " + (folder / "main/.git/worktrees/side") + "\n");
  CHECK(git_commit(folder / "side") == kCommit);
  write(folder / "side/.git", "gitdir: ../main/.git/worktrees/side\n");
  CHECK(git_commit(folder / "side") == kCommit);
}

TEST_CASE("what is no repository gives no commit, and no file outside is read") {
  const stores::TemporaryFolder folder;
  write(folder / "secret", kCommit);
  for (const std::string head :
       {"", "ref: ", "ref: refs/../../secret", "ref: /etc/passwd", "xyz", "ref: refs/heads/loop"}) {
    CAPTURE(head);
    write(folder / ".git/HEAD", head);
    write(folder / ".git/refs/heads/loop", "ref: refs/heads/loop");
    CHECK(git_commit(folder.path()).empty());
  }
  std::filesystem::remove_all(folder / ".git");
  write(folder / ".git", "garbage");
  CHECK(git_commit(folder.path()).empty());
}

}  // namespace coeval::training
