#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"

namespace coeval::data {

/// The binary form of one row, as it stands in the log. Canonical: equal rows have equal bytes.
///
/// A null bitmap of (fields + 7) / 8 bytes (bit set = null), then each present value in field
/// order, little-endian: boolean 1 byte, int32 and date 4, int64 and timestamp 8, float32 4,
/// float64 8 (bits kept, NaN payloads too), string a u32 length and its bytes, a list the same with
/// its packed bytes (packed_list.h).
std::string encode_row(const Batch& batch, std::int64_t row);
void append_row(std::string& out, const Batch& batch, std::int64_t row);
/// All rows of a batch, one behind the other; `ends` gets where in `out` each one ends.
void append_rows(std::string& out, const Batch& batch, std::vector<std::size_t>& ends);

/// Appends the decoded values to one builder per field of `schema`. Errors: bad_file when the bytes
/// are cut short, too long, a string is not inside them, or a list is none; nothing is appended
/// then.
Status decode_row(std::string_view bytes, const Schema& schema,
                  std::vector<ColumnBuilder>& builders);

/// The bytes of each cell of a row, in field order, as encode_row wrote them; of a null a view
/// without data. They live as long as `bytes`. Errors: bad_file, as decode_row.
Result<std::vector<std::string_view>> row_cells(std::string_view bytes, const Schema& schema);

/// Fixed-width little-endian integers, for the formats of this project.
void put_u8(std::string& out, std::uint8_t v);
void put_u32(std::string& out, std::uint32_t v);
void put_u64(std::string& out, std::uint64_t v);
void put_text(std::string& out, std::string_view v);  ///< u32 length, bytes

/// Reads what put_… wrote; every call is bounds-checked and says whether it could.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  bool u8(std::uint8_t& v);
  bool u32(std::uint32_t& v);
  bool u64(std::uint64_t& v);
  bool text(std::string_view& v);
  bool bytes(std::size_t size, std::string_view& v);
  std::size_t remaining() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

}  // namespace coeval::data
