#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <span>
#include <unordered_set>
#include <utility>

#include "data/hash.h"
#include "quality/checks.h"
#include "quality/quarantine_line.h"
#include "stores/file_window.h"

namespace coeval::quality {

namespace {

constexpr std::uint64_t kLastBytes = std::uint64_t{64} << 20;
constexpr std::string_view kRequestMember = "\"request\":";

Error os_error(int number, const std::string& doing, const std::string& path) {
  const bool full = number == ENOSPC || number == EDQUOT;
  return fail(full ? Code::disk_full : Code::io,
              "cannot " + doing + " '" + path + "': " + std::strerror(number),
              full ? "make room and repeat the command; no row was lost" : "")
      .error();
}

// An open file that may be locked against other writers; closing it lets go of the lock.
class QuarantineFile {
 public:
  static Result<QuarantineFile> open(const std::string& path, int flags);
  QuarantineFile(QuarantineFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), path_(other.path_) {}
  QuarantineFile& operator=(QuarantineFile&&) = delete;
  ~QuarantineFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  Status lock();
  Result<std::string> read() const;
  /// Up to the last line's end, reading no more than what is behind it.
  Result<TornLine> torn_line() const;
  /// Cuts what is behind it, and tells what is left.
  Result<std::size_t> cut_torn_line();
  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> room) const;
  /// Whether the path still names this file: another may have been put in its place.
  bool is_there() const;
  Status cut_to(std::size_t size);
  Status append(std::string_view bytes);
  Status sync();

 private:
  QuarantineFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  std::unexpected<Error> failed(const std::string& doing) const {
    return std::unexpected(os_error(errno, doing, path_));
  }
  int fd_;
  std::string path_;
};

Result<QuarantineFile> QuarantineFile::open(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) return std::unexpected(os_error(errno, "open", path));
  return QuarantineFile(fd, path);
}

Status QuarantineFile::lock() {
  while (::flock(fd_, LOCK_EX) != 0)
    if (errno != EINTR) return failed("lock");
  return {};
}

Result<std::string> QuarantineFile::read() const {
  struct stat info{};
  if (::fstat(fd_, &info) != 0) return failed("read");
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t size =
        ::pread(fd_, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (size == 0) break;
    if (size > 0)
      done += static_cast<std::size_t>(size);
    else if (errno != EINTR)
      return failed("read");
  }
  text.resize(done);
  return text;
}

Result<std::size_t> QuarantineFile::read_at(std::uint64_t offset, std::span<char> room) const {
  for (;;) {
    const ssize_t size = ::pread(fd_, room.data(), room.size(), static_cast<off_t>(offset));
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno != EINTR) return failed("read");
  }
}

Result<TornLine> QuarantineFile::torn_line() const {
  struct stat info{};
  if (::fstat(fd_, &info) != 0) return failed("read");
  const auto file_size = static_cast<std::uint64_t>(info.st_size);
  char block[4096];
  for (std::uint64_t end = file_size; end > 0;) {
    const std::uint64_t begin = end - std::min<std::uint64_t>(end, sizeof block);
    COEVAL_ASSIGN(const std::size_t size, read_at(begin, {block, end - begin}));
    if (size != end - begin) return failed("read");
    const std::string_view text(block, size);
    if (const std::size_t last = text.rfind('\n'); last != std::string_view::npos)
      return TornLine{begin + last + 1, file_size - begin - last - 1};
    end = begin;
  }
  return TornLine{0, file_size};
}

Result<std::size_t> QuarantineFile::cut_torn_line() {
  COEVAL_ASSIGN(const TornLine torn, torn_line());
  if (torn.bytes > 0) COEVAL_TRY(cut_to(torn.offset));
  return torn.offset;
}

bool QuarantineFile::is_there() const {
  struct stat opened{}, named{};
  return ::fstat(fd_, &opened) == 0 && ::stat(path_.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

Status QuarantineFile::cut_to(std::size_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return failed("cut");
  return {};
}

Status QuarantineFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(fd_, bytes.data(), bytes.size());
    if (size >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(size));
    else if (errno != EINTR)
      return failed("write to");
  }
  return {};
}

Status QuarantineFile::sync() {
  if (::fsync(fd_) != 0) return failed("write to");
  return {};
}

Status sync_folder(const std::string& path) {
  COEVAL_ASSIGN(QuarantineFile folder, QuarantineFile::open(path, O_RDONLY | O_DIRECTORY));
  return folder.sync();
}

Status make_quarantine_folder(const std::string& folder) {
  const std::string path = folder + "/quarantine";
  if (::mkdir(path.c_str(), 0700) == 0) return sync_folder(folder);
  if (errno != EEXIST) return std::unexpected(os_error(errno, "make folder", path));
  return {};
}

// A source is a file here: its name must stay inside the folder.
Result<std::string> path_of(const std::string& folder, const std::string& source) {
  if (source.empty() || source.front() == '.' || source.find('/') != std::string::npos ||
      source.find('\0') != std::string::npos)
    return fail(Code::io, "a source of this name cannot have a quarantine file: '" + source + "'",
                "name it without '/' and without a leading '.'");
  return folder + "/quarantine/" + source + ".jsonl";
}

std::string_view whole_lines(std::string_view text) { return text.substr(0, text.rfind('\n') + 1); }

// Takes the next line off `text`, without its end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

// Remembers lines by hash. Two rows of equal 128-bit hash are one row here.
class SeenRows {
 public:
  /// False when the row was there.
  bool add(std::string_view line) {
    const data::Hash128 hash = data::xxh3_128(identity_part(line));
    return seen_.insert({hash.low, hash.high}).second;
  }

 private:
  struct Low {
    std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& hash) const {
      return hash.first;
    }
  };
  std::unordered_set<std::pair<std::uint64_t, std::uint64_t>, Low> seen_;
};

std::string new_lines(std::string_view existing, const std::vector<const QuarantinedRow*>& rows) {
  SeenRows seen;
  while (!existing.empty()) seen.add(take_line(existing));
  std::string lines;
  for (const QuarantinedRow* row : rows) {
    const std::string line = quarantine_line(*row);
    if (seen.add(line)) lines += line;
  }
  return lines;
}

Result<QuarantinedRow> read_line(data::JsonParser& parser, std::string_view text,
                                 std::int64_t number) {
  auto row = parse_quarantine_line(parser, text, number);
  if (!row) row.error().message += " at line " + std::to_string(number);
  return row;
}

Result<QuarantineFile> open_locked(const std::string& folder, const std::string& source) {
  COEVAL_ASSIGN(const std::string path, path_of(folder, source));
  COEVAL_ASSIGN(QuarantineFile file, QuarantineFile::open(path, O_RDWR | O_CREAT | O_APPEND));
  COEVAL_TRY(file.lock());
  return file;
}

// Puts lines behind the first `whole` bytes, which are all that count.
Status put_lines(const std::string& folder, QuarantineFile& file, std::size_t whole,
                 std::string_view lines) {
  if (const Status appended = file.append(lines); !appended) {
    (void)file.cut_to(whole);  // if this fails too, the next writer cuts the torn line
    return appended;
  }
  // Even when every row was there: the writer that put it there may have died before its fsync.
  COEVAL_TRY(file.sync());
  return whole == 0 ? sync_folder(folder + "/quarantine") : Status{};
}

// A run that takes rows out puts another file in its place, without this lock.
Result<QuarantineFile> open_locked_there(const std::string& path, int flags) {
  for (;;) {
    COEVAL_ASSIGN(QuarantineFile file, QuarantineFile::open(path, flags));
    COEVAL_TRY(file.lock());
    if (file.is_there()) return file;
  }
}

// Copies the bytes from `torn` on to a new file.
Status copy_aside(const QuarantineFile& file, TornLine torn, const std::string& aside) {
  COEVAL_ASSIGN(QuarantineFile copy, QuarantineFile::open(aside, O_WRONLY | O_CREAT | O_EXCL));
  std::vector<char> block(std::size_t{1} << 20);
  for (std::uint64_t at = 0; at < torn.bytes;) {
    const std::size_t wanted = std::min<std::uint64_t>(block.size(), torn.bytes - at);
    COEVAL_ASSIGN(const std::size_t size,
                  file.read_at(torn.offset + at, std::span(block).first(wanted)));
    if (size == 0) return fail(Code::io, "the file became shorter while it was read");
    COEVAL_TRY(copy.append({block.data(), size}));
    at += size;
  }
  COEVAL_TRY(copy.sync());
  return sync_folder(aside.substr(0, aside.rfind('/')));
}

Status write_source(const std::string& folder, const std::string& source,
                    const std::vector<const QuarantinedRow*>& rows) {
  COEVAL_ASSIGN(QuarantineFile file, open_locked(folder, source));
  COEVAL_ASSIGN(const std::string existing, file.read());
  const std::string_view whole = whole_lines(existing);
  if (whole.size() < existing.size()) COEVAL_TRY(file.cut_to(whole.size()));
  return put_lines(folder, file, whole.size(), new_lines(whole, rows));
}

}  // namespace

Status write_quarantine(const std::string& folder, const std::vector<QuarantinedRow>& rows) {
  if (rows.empty()) return {};
  COEVAL_TRY(make_quarantine_folder(folder));
  std::map<std::string, std::vector<const QuarantinedRow*>> by_source;
  for (const QuarantinedRow& row : rows) by_source[row.source].push_back(&row);
  for (const auto& [source, of_source] : by_source)
    COEVAL_TRY(write_source(folder, source, of_source));
  return {};
}

Status append_quarantine(const std::string& folder, const std::string& source,
                         std::span<const QuarantinedRow> rows) {
  if (rows.empty()) return {};
  COEVAL_TRY(make_quarantine_folder(folder));
  COEVAL_ASSIGN(QuarantineFile file, open_locked(folder, source));
  COEVAL_ASSIGN(const std::size_t whole, file.cut_torn_line());
  std::string lines;
  for (const QuarantinedRow& row : rows) lines += quarantine_line(row);
  return put_lines(folder, file, whole, lines);
}

Result<std::optional<TornLine>> find_torn_line(const std::string& path) {
  COEVAL_ASSIGN(const QuarantineFile file, open_locked_there(path, O_RDONLY));
  COEVAL_ASSIGN(const TornLine torn, file.torn_line());
  return torn.bytes > 0 ? std::optional(torn) : std::nullopt;
}

Result<std::optional<TornLine>> set_torn_line_aside(const std::string& path,
                                                    const std::string& aside) {
  COEVAL_ASSIGN(QuarantineFile file, open_locked_there(path, O_RDWR));
  COEVAL_ASSIGN(const TornLine torn, file.torn_line());
  if (torn.bytes == 0) return std::nullopt;
  if (Status copied = copy_aside(file, torn, aside); !copied) {
    if (copied.error().code == Code::disk_full) ::unlink(aside.c_str());
    return std::unexpected(std::move(copied).error());
  }
  COEVAL_TRY(file.cut_to(torn.offset));
  COEVAL_TRY(file.sync());
  return torn;
}

Result<std::vector<QuarantinedRow>> last_keyed_rows(const std::string& folder,
                                                    const std::string& source) {
  COEVAL_ASSIGN(const std::string path, path_of(folder, source));
  std::vector<QuarantinedRow> rows;
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return rows;
  COEVAL_ASSIGN(auto window, stores::FileWindow::open(path));
  const std::uint64_t begin = window.size() - std::min(window.size(), kLastBytes);
  COEVAL_ASSIGN(const std::string_view text,
                window.view(begin, static_cast<std::size_t>(window.size() - begin)));
  std::string_view rest = whole_lines(text);
  if (begin > 0 && !rest.empty()) take_line(rest);  // most likely a part of one
  data::JsonParser parser;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    if (line.find(kRequestMember) == std::string_view::npos) continue;
    auto row = parse_quarantine_line(parser, line, 1);
    // A damaged one says nothing of any request; `coeval doctor` names it.
    if (row && !row->request.empty()) rows.push_back(std::move(*row));
  }
  return rows;
}

Result<std::vector<QuarantinedRow>> read_quarantine(const std::string& folder,
                                                    const std::string& source) {
  COEVAL_ASSIGN(const std::string path, path_of(folder, source));
  std::vector<QuarantinedRow> rows;
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return rows;
  COEVAL_ASSIGN(const QuarantineFile file, QuarantineFile::open(path, O_RDONLY));
  COEVAL_ASSIGN(const std::string text, file.read());
  std::string_view rest = whole_lines(text);
  data::JsonParser parser;
  for (std::int64_t line = 1; !rest.empty(); ++line) {
    auto row = read_line(parser, take_line(rest), line);
    if (!row) return std::unexpected(std::move(row).error().within("while reading " + path));
    rows.push_back(std::move(*row));
  }
  return rows;
}

}  // namespace coeval::quality
