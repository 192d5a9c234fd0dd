#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "data/hash.h"
#include "exact/byte_codec.h"
#include "quality/profile.h"

namespace coeval::quality {

namespace {

// The file: this line, the CRC32C of what follows in four bytes, lowest first; rows, how many
// columns, and of each the length of its name, the name, nullable or not, the length of its type's
// name, that name, and its profile.
constexpr std::string_view kFirstLine = "coeval profile 1\n";
constexpr std::size_t kMostColumns = 65'536, kMostNameBytes = 4096;
constexpr std::size_t kMostFileBytes = std::size_t{8} << 30;

Error failed(const std::string& doing, const std::string& path) {
  const int number = errno;
  const Code code = number == ENOENT                       ? Code::no_such_file
                    : number == ENOSPC || number == EDQUOT ? Code::disk_full
                                                           : Code::io;
  return fail(code, "cannot " + doing + " '" + path + "': " + std::strerror(number)).error();
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool read_text(std::string_view& bytes, std::string& text) {
  std::int64_t size = 0;
  if (!exact::read_count(bytes, size) || size > static_cast<std::int64_t>(kMostNameBytes) ||
      bytes.size() < static_cast<std::size_t>(size))
    return false;
  text = bytes.substr(0, static_cast<std::size_t>(size));
  bytes.remove_prefix(text.size());
  return true;
}

void append_text(std::string& out, std::string_view text) {
  exact::append_count(out, static_cast<std::int64_t>(text.size()));
  out += text;
}

std::unexpected<Error> damaged(const std::string& what) {
  return fail(Code::bad_file, "this is no profile: " + what,
              "write it again with the command that made it");
}

void append_crc(std::string& out, std::string_view body) {
  const std::uint32_t crc = data::crc32c(body);
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(crc >> (8 * i) & 0xFF));
}

}  // namespace

std::string Profile::bytes() const {
  std::string body;
  exact::append_count(body, rows_);
  exact::append_count(body, static_cast<std::int64_t>(columns_.size()));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    append_text(body, schema_.fields[i].name);
    body.push_back(schema_.fields[i].nullable ? 1 : 0);
    append_text(body, data::name(schema_.fields[i].type));
    columns_[i].append_bytes(body);
  }
  std::string out(kFirstLine);
  append_crc(out, body);
  return out + body;
}

Result<Profile> Profile::from_bytes(std::string_view bytes) {
  if (!bytes.starts_with(kFirstLine) || bytes.size() < kFirstLine.size() + 4)
    return damaged("its first line is not '" + std::string(kFirstLine.substr(0, 16)) + "'");
  const std::string_view stored = bytes.substr(kFirstLine.size(), 4);
  std::string_view body = bytes.substr(kFirstLine.size() + 4);
  std::string expected;
  append_crc(expected, body);
  if (stored != expected) return damaged("its checksum fails");
  std::int64_t rows = 0, columns = 0;
  if (!exact::read_count(body, rows) || !exact::read_count(body, columns) ||
      columns > static_cast<std::int64_t>(kMostColumns))
    return damaged("its counts cannot be read");
  Profile profile;
  profile.rows_ = rows;
  for (std::int64_t i = 0; i < columns; ++i) {
    data::Field field;
    std::string type;
    std::uint8_t nullable = 0;
    if (!read_text(body, field.name) || !exact::read_u8(body, nullable) || nullable > 1 ||
        !read_text(body, type))
      return damaged("column " + std::to_string(i) + " has no name and type");
    field.nullable = nullable != 0;
    COEVAL_ASSIGN(field.type, data::parse_type(type));
    profile.columns_.emplace_back(field.type);
    if (!profile.columns_.back().read_bytes(body))
      return damaged("column '" + field.name + "' cannot be read");
    profile.schema_.fields.push_back(std::move(field));
  }
  if (!body.empty()) return damaged("bytes are left over");
  return profile;
}

Status write_profile(const std::string& path, const Profile& profile) {
  const std::string beside = path + ".tmp-" + std::to_string(::getpid());
  const std::string bytes = profile.bytes();
  {
    const File file(beside, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.fd() < 0) return std::unexpected(failed("create", beside));
    if (!write_all(file.fd(), bytes) || ::fsync(file.fd()) != 0) {
      Error error = failed("write", beside);
      ::unlink(beside.c_str());
      return std::unexpected(std::move(error));
    }
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    Error error = failed("rename", path);
    ::unlink(beside.c_str());
    return std::unexpected(std::move(error));
  }
  return {};
}

Result<Profile> read_profile(const std::string& path) {
  const File file(path, O_RDONLY);
  struct stat about{};
  if (file.fd() < 0 || ::fstat(file.fd(), &about) != 0)
    return std::unexpected(failed("open", path));
  if (about.st_size < 0 || static_cast<std::size_t>(about.st_size) > kMostFileBytes)
    return damaged("'" + path + "' is too large");
  std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t read = ::read(file.fd(), bytes.data() + at, bytes.size() - at);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return std::unexpected(failed("read", path));
    if (read == 0) break;
    at += static_cast<std::size_t>(read);
  }
  bytes.resize(at);
  auto profile = Profile::from_bytes(bytes);
  if (!profile)
    return std::unexpected(std::move(profile).error().within("while reading '" + path + "'"));
  return profile;
}

}  // namespace coeval::quality
