#include "models/golden_file.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "data/hash.h"

namespace coeval::models {
namespace {

static_assert(std::endian::native == std::endian::little,
              "golden.bin is written as it lies in memory");

constexpr std::string_view kMagic = "coevgold";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 8 + 3 * 4;
constexpr std::size_t kCrcBytes = 4;

template <class T>
void append(std::string& out, const T* values, std::size_t count) {
  out.append(reinterpret_cast<const char*>(values), count * sizeof(T));
}

std::uint32_t u32_at(std::string_view bytes, std::size_t place) {
  std::uint32_t value;
  std::memcpy(&value, bytes.data() + place, sizeof value);
  return value;
}

std::unexpected<Error> damaged(const std::string& what) {
  return fail(Code::bad_model, "golden rows: " + what);
}

GoldenRow row_at(const char* bytes, std::size_t width) {
  GoldenRow golden;
  golden.row.resize(width);
  std::memcpy(golden.row.data(), bytes, width * sizeof(float));
  std::memcpy(&golden.margin, bytes + width * sizeof(float), sizeof(float));
  std::memcpy(&golden.score, bytes + (width + 1) * sizeof(float), sizeof(float));
  return golden;
}

Status check_frame(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes + kCrcBytes) return damaged("the file is truncated");
  if (!bytes.starts_with(kMagic)) return damaged("the file is of another format");
  if (u32_at(bytes, 8) != kVersion) {
    return damaged("the file has version " + std::to_string(u32_at(bytes, 8)));
  }
  const std::string_view content = bytes.substr(0, bytes.size() - kCrcBytes);
  if (data::crc32c(content) != u32_at(bytes, content.size())) {
    return damaged("the file fails its checksum");
  }
  return {};
}

}  // namespace

std::string write_golden(std::size_t width, std::span<const GoldenRow> rows) {
  const std::uint32_t header[] = {kVersion, static_cast<std::uint32_t>(width),
                                  static_cast<std::uint32_t>(rows.size())};
  std::string out(kMagic);
  append(out, header, 3);
  for (const GoldenRow& golden : rows) {
    COEVAL_CHECK(golden.row.size() == width);
    append(out, golden.row.data(), width);
    append(out, &golden.margin, 1);
    append(out, &golden.score, 1);
  }
  const std::uint32_t crc = data::crc32c(out);
  append(out, &crc, 1);
  return out;
}

Result<std::vector<GoldenRow>> read_golden(std::string_view bytes) {
  COEVAL_TRY(check_frame(bytes));
  const std::size_t width = u32_at(bytes, 12), count = u32_at(bytes, 16);
  const std::size_t row_bytes = (width + 2) * sizeof(float);
  const std::size_t room = bytes.size() - kHeaderBytes - kCrcBytes;
  if (room % row_bytes != 0 || room / row_bytes != count) {
    return damaged("the file's length does not fit its rows");
  }
  std::vector<GoldenRow> rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back(row_at(bytes.data() + kHeaderBytes + i * row_bytes, width));
  }
  return rows;
}

}  // namespace coeval::models
