#include "stores/spill_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "data/hash.h"
#include "stores/files.h"

namespace coeval::stores {

namespace {

constexpr int kZstdLevel = 1;
constexpr int kMostNames = 1000;

std::unexpected<Error> damaged(const std::string& path, std::uint64_t at, const std::string& what) {
  return fail(
      Code::bad_file,
      "the spill file '" + path + "' is damaged at byte " + std::to_string(at) + ": " + what,
      "check the disk, or take another with --spill-folder; then run the command again");
}

// Free names are tried in turn: several files of one process are open at once only for a moment.
Result<std::pair<std::string, std::unique_ptr<AppendFile>>> open_new(const std::string& folder,
                                                                     FileLayer& files) {
  std::error_code none;
  for (int i = 0; i < kMostNames; ++i) {
    std::string path = folder + "/spill-" + std::to_string(::getpid()) + "-" + std::to_string(i);
    if (std::filesystem::exists(path, none)) continue;
    auto file = files.open(path, FileLayer::Open::create_new);
    if (file) return std::pair(std::move(path), std::move(*file));
    // Another process of the same number, in another container, may have been quicker.
    if (!std::filesystem::exists(path, none)) return std::unexpected(std::move(file).error());
  }
  return fail(Code::io, "'" + folder + "' is full of files of the name spill-…",
              "remove them, or take another folder with --spill-folder");
}

}  // namespace

Result<SpillFile> SpillFile::create(const std::string& folder, std::shared_ptr<FileLayer> files) {
  COEVAL_ASSIGN(auto opened, open_new(folder, *files));
  SpillFile made;
  made.path_ = std::move(opened.first);
  made.file_ = std::move(opened.second);
  made.reader_ = ::open(made.path_.c_str(), O_RDONLY | O_CLOEXEC);
  const int failed = errno;
  COEVAL_TRY(files->remove(made.path_));
  if (made.reader_ < 0) return std::unexpected(error_from_errno(failed, "open", made.path_));
  return made;
}

SpillFile::SpillFile(SpillFile&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::move(other.file_)),
      reader_(std::exchange(other.reader_, -1)),
      end_(other.end_) {}

SpillFile& SpillFile::operator=(SpillFile&& other) noexcept {
  path_ = std::move(other.path_);
  file_ = std::move(other.file_);
  std::swap(reader_, other.reader_);
  end_ = other.end_;
  return *this;
}

SpillFile::~SpillFile() {
  if (reader_ >= 0) ::close(reader_);
}

Result<SpillFile::Packed> SpillFile::pack(std::string_view bytes) {
  if (bytes.size() > kMostBlockBytes)
    return fail(Code::unsupported, "rows that come to more than 1 GiB in one block of a spill file",
                "give more --memory, or leave it out");
  Packed packed;
  packed.size = static_cast<std::uint32_t>(bytes.size());
  packed.stored.resize(ZSTD_compressBound(bytes.size()));
  const std::size_t size = ZSTD_compress(packed.stored.data(), packed.stored.size(), bytes.data(),
                                         bytes.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) return fail(Code::internal, "zstd cannot compress a block");
  packed.stored.resize(size);
  packed.stored.shrink_to_fit();
  packed.checksum = data::xxh3_64(packed.stored);
  return packed;
}

Result<SpillFile::Block> SpillFile::append(const Packed& packed) {
  COEVAL_TRY(append_all(*file_, packed.stored));
  const Block block{end_, packed.checksum, static_cast<std::uint32_t>(packed.stored.size()),
                    packed.size};
  end_ += packed.stored.size();
  return block;
}

Result<std::string> SpillFile::read(const Block& block) const {
  std::string stored(block.stored, '\0');
  for (std::size_t done = 0; done < stored.size();) {
    const ssize_t got = ::pread(reader_, stored.data() + done, stored.size() - done,
                                static_cast<off_t>(block.at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(error_from_errno(errno, "read", path_));
    if (got == 0) return damaged(path_, block.at + done, "it ends there");
    done += static_cast<std::size_t>(got);
  }
  if (data::xxh3_64(stored) != block.checksum)
    return damaged(path_, block.at, "the checksum of the block differs");
  std::string bytes(block.size, '\0');
  const std::size_t size =
      ZSTD_decompress(bytes.data(), bytes.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != bytes.size())
    return damaged(path_, block.at, "zstd cannot read it");
  return bytes;
}

}  // namespace coeval::stores
