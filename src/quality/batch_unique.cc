// unique: no two rows with equal values in the check's columns. A null equals nothing, as in SQL;
// −0 equals 0, and NaN equals NaN, as keys do everywhere.

#include <algorithm>
#include <cstring>

#include "kernel/key_bytes.h"
#include "quality/batch_fold.h"
#include "quality/repeated_keys.h"

namespace coeval::quality {

namespace {

using data::Column;

RepeatedKeys::Keys keys_of(const FoldSetting& setting) {
  const bool is_number =
      setting.check->columns.size() == 1 && setting.column().type != data::Type::string;
  return is_number ? RepeatedKeys::Keys::numbers : RepeatedKeys::Keys::bytes;
}

class UniqueFold final : public BatchFold {
 public:
  explicit UniqueFold(const FoldSetting& setting)
      : setting_(setting),
        keys_(keys_of(setting), setting.memory_bytes, setting.spill_folder,
              OffendingRows(setting.sample_rows, setting.check->rule_name()), setting.examples) {}

  Status add(const BatchPiece& piece) override {
    if (keys_of(setting_) == RepeatedKeys::Keys::bytes) return add_keys(piece);
    const Column& column = setting_.column_of(piece);
    const bool is_integer = column.type() != data::Type::boolean && !data::is_float(column.type());
    if (!is_integer) return add_keys(piece);
    for (std::int64_t row = 0; row < column.size(); ++row)
      if (!column.is_null(row))
        COEVAL_TRY(keys_.add(static_cast<std::uint64_t>(column.integer(row)), number(piece, row)));
    return {};
  }

  Status merge(BatchFold& other) override {
    return keys_.merge(static_cast<UniqueFold&>(other).keys_);
  }

  Result<Verdict> finish(const BatchContext&) override {
    COEVAL_TRY(keys_.finish());
    Verdict verdict;
    verdict.rows_count = keys_.repeats().count();
    verdict.rows = keys_.repeats().rows();
    verdict.passed = verdict.rows_count == 0;
    verdict.number = static_cast<double>(verdict.rows_count);
    verdict.observed =
        counted(verdict.rows_count, "row repeats", "rows repeat") + " an earlier one";
    for (const RepeatedKey& repeat : keys_.first())
      verdict.examples.push_back(
          "row " + std::to_string(repeat.row) + " repeats row " + std::to_string(repeat.first_row) +
          ": " + key_text(*setting_.source, setting_.check->columns, key_of(repeat)));
    return verdict;
  }

 private:
  static std::int64_t number(const BatchPiece& piece, std::int64_t row) {
    return piece.row_numbers[static_cast<std::size_t>(row)];
  }

  Status add_keys(const BatchPiece& piece) {
    std::vector<const Column*> columns;
    for (const int column : setting_.check->columns)
      columns.push_back(&piece.rows.columns[static_cast<std::size_t>(column)]);
    const bool as_number = keys_of(setting_) == RepeatedKeys::Keys::numbers;
    const bool all_texts = std::ranges::all_of(
        columns, [](const Column* column) { return column->type() == data::Type::string; });
    std::string key;
    for (std::int64_t row = 0; row < piece.rows.rows; ++row) {
      if (!(all_texts ? make_text_key(key, columns, row) : kernel::make_key(key, columns, row)))
        continue;
      if (!as_number) {
        COEVAL_TRY(keys_.add(key, number(piece, row)));
        continue;
      }
      std::uint64_t bits = 0;  // lowest byte first
      for (std::size_t i = key.size(); i-- > 0;)
        bits = bits << 8 | static_cast<unsigned char>(key[i]);
      COEVAL_TRY(keys_.add(bits, number(piece, row)));
    }
    return {};
  }

  // What kernel::make_key writes, of texts alone and with one look at how long it becomes.
  static bool make_text_key(std::string& key, const std::vector<const Column*>& columns,
                            std::int64_t row) {
    std::size_t size = 0;
    for (const Column* column : columns) {
      if (column->is_null(row)) return false;
      size += sizeof(std::uint32_t) + column->string(row).size();
    }
    key.resize(size);
    char* at = key.data();
    for (const Column* column : columns) {
      const std::string_view text = column->string(row);
      const auto length = static_cast<std::uint32_t>(text.size());
      std::memcpy(at, &length, sizeof length);
      std::memcpy(at + sizeof length, text.data(), text.size());
      at += sizeof length + text.size();
    }
    return true;
  }

  // As kernel::make_key writes it: of a boolean the first byte alone.
  std::string key_of(const RepeatedKey& repeat) const {
    if (keys_of(setting_) == RepeatedKeys::Keys::numbers &&
        setting_.column().type == data::Type::boolean)
      return repeat.key.substr(0, 1);
    return repeat.key;
  }

  FoldSetting setting_;
  RepeatedKeys keys_;
};

}  // namespace

std::unique_ptr<BatchFold> make_unique_fold(const FoldSetting& setting) {
  return std::make_unique<UniqueFold>(setting);
}

}  // namespace coeval::quality
