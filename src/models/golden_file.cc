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
constexpr std::uint32_t kOneOutput = 1, kSeveralOutputs = 2;  // versions
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

GoldenRow row_at(const char* bytes, std::size_t width, std::size_t outputs) {
  GoldenRow golden;
  const auto take = [&](std::vector<float>& values, std::size_t count) {
    values.resize(count);
    if (count > 0) std::memcpy(values.data(), bytes, count * sizeof(float));
    bytes += count * sizeof(float);
  };
  take(golden.row, width);
  take(golden.margins, outputs);
  take(golden.scores, outputs);
  return golden;
}

Status check_frame(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes + kCrcBytes) return damaged("the file is truncated");
  if (!bytes.starts_with(kMagic)) return damaged("the file is of another format");
  if (u32_at(bytes, 8) != kOneOutput && u32_at(bytes, 8) != kSeveralOutputs) {
    return damaged("the file has version " + std::to_string(u32_at(bytes, 8)));
  }
  const std::string_view content = bytes.substr(0, bytes.size() - kCrcBytes);
  if (data::crc32c(content) != u32_at(bytes, content.size())) {
    return damaged("the file fails its checksum");
  }
  return {};
}

}  // namespace

std::string write_golden(std::size_t width, std::size_t outputs, std::span<const GoldenRow> rows) {
  const std::uint32_t header[] = {
      outputs == 1 ? kOneOutput : kSeveralOutputs, static_cast<std::uint32_t>(width),
      static_cast<std::uint32_t>(rows.size()), static_cast<std::uint32_t>(outputs)};
  std::string out(kMagic);
  append(out, header, outputs == 1 ? 3 : 4);
  for (const GoldenRow& golden : rows) {
    COEVAL_CHECK(golden.row.size() == width && golden.margins.size() == outputs &&
                 golden.scores.size() == outputs);
    append(out, golden.row.data(), width);
    append(out, golden.margins.data(), outputs);
    append(out, golden.scores.data(), outputs);
  }
  const std::uint32_t crc = data::crc32c(out);
  append(out, &crc, 1);
  return out;
}

Result<std::vector<GoldenRow>> read_golden(std::string_view bytes) {
  COEVAL_TRY(check_frame(bytes));
  const std::size_t width = u32_at(bytes, 12), count = u32_at(bytes, 16);
  const bool several = u32_at(bytes, 8) == kSeveralOutputs;
  const std::size_t header_bytes = kHeaderBytes + (several ? 4 : 0);
  if (bytes.size() < header_bytes + kCrcBytes) return damaged("the file is truncated");
  const std::size_t outputs = several ? u32_at(bytes, kHeaderBytes) : 1;
  const std::size_t row_bytes = (width + 2 * outputs) * sizeof(float);
  const std::size_t room = bytes.size() - header_bytes - kCrcBytes;
  if (row_bytes == 0) return damaged("a row has no cells");
  if (room % row_bytes != 0 || room / row_bytes != count) {
    return damaged("the file's length does not fit its rows");
  }
  std::vector<GoldenRow> rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back(row_at(bytes.data() + header_bytes + i * row_bytes, width, outputs));
  }
  return rows;
}

}  // namespace coeval::models
