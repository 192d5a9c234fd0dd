#include "replay/conform.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "data/decimal.h"
#include "quality/json_extraction.h"

namespace coeval::replay {

namespace {

using data::Type;

// The values of one column that do not fit its declared type.
class Misfits {
 public:
  Misfits(const define::SourceColumn& declared, int column,
          std::vector<quality::UnreadableValue>& values)
      : declared_(declared), column_(column), values_(values) {}
  void add(std::int64_t row, data::Json found, const std::string& text) {
    values_.push_back(
        {row, column_, declared_.name + ".type",
         declared_.name + " does not fit " + data::name(declared_.type) + ", found " + text,
         std::move(found)});
  }

 private:
  const define::SourceColumn& declared_;
  int column_;
  std::vector<quality::UnreadableValue>& values_;
};

// int64 in the file, int32 in the definition: a value that does not fit is that row's error. (V1)
data::Column narrow(const data::Column& wide, Misfits& misfits) {
  const auto values = wide.values<std::int64_t>();
  std::vector<std::byte> out(values.size() * sizeof(std::int32_t));
  auto* narrowed = reinterpret_cast<std::int32_t*>(out.data());
  std::vector<std::int64_t> unfit;
  for (std::size_t i = 0; i < values.size(); ++i) {
    narrowed[i] = static_cast<std::int32_t>(values[i]);
    if (narrowed[i] != values[i] && !wide.is_null(static_cast<std::int64_t>(i)))
      unfit.push_back(static_cast<std::int64_t>(i));
  }
  if (unfit.empty()) {
    std::vector<std::uint8_t> validity;
    if (wide.has_nulls())
      validity.assign(wide.validity_data(), wide.validity_data() + (wide.size() + 7) / 8);
    return data::Column::fixed(Type::int32, std::move(out), std::move(validity), wide.size());
  }
  for (const std::int64_t row : unfit)
    misfits.add(row, wide.integer(row), std::to_string(wide.integer(row)));
  data::ColumnBuilder builder(Type::int32);
  for (std::int64_t row = 0; row < wide.size(); ++row) {
    const std::int64_t value = wide.integer(row);
    const bool fits = value == static_cast<std::int32_t>(value);
    wide.is_null(row) || !fits ? builder.append_null() : builder.append_integer(value);
  }
  return builder.finish();
}

// Decimals of the file, or their texts, as the declared decimal: a value that it cannot hold
// exactly is that row's error. (V1)
data::Column as_decimals(const data::Column& column, Type type, Misfits& misfits) {
  data::ColumnBuilder builder(type);
  builder.reserve(column.size());
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) {
      builder.append_null();
      continue;
    }
    const std::string text = column.type() == Type::string
                                 ? std::string(column.string(row))
                                 : data::to_text(column.value(row), column.type());
    std::int64_t scaled = 0;
    if (data::read_decimal(text, type, scaled) == data::DecimalFault::none) {
      builder.append_integer(scaled);
      continue;
    }
    misfits.add(row, text, text);
    builder.append_null();
  }
  return builder.finish();
}

Result<data::Column> conform_column(const data::Column& column,
                                    const define::SourceColumn& declared, Misfits misfits) {
  if (column.type() == declared.type) return column;
  if (column.type() == Type::int64 && declared.type == Type::int32) return narrow(column, misfits);
  // Whether the lists have the declared length is a rule of each row.
  if (data::is_list(column.type()) && data::is_list(declared.type) &&
      data::element_of(column.type()) == data::element_of(declared.type))
    return column.with_list_type(declared.type);
  if (data::is_decimal(declared.type) &&
      (data::is_decimal(column.type()) || column.type() == Type::string))
    return as_decimals(column, declared.type, misfits);
  return fail(Code::type_mismatch,
              "column '" + declared.name + "' is declared " + std::string(name(declared.type)) +
                  ", found " + std::string(name(column.type())),
              "declare the type that the file has, or convert the file");
}

data::Column nulls(Type type, std::int64_t rows) {
  data::ColumnBuilder builder(type);
  builder.reserve(rows);
  for (std::int64_t row = 0; row < rows; ++row) builder.append_null();
  return builder.finish();
}

void add_error(const Error& error, std::optional<Error>& all) {
  if (all)
    all->message += "; " + error.message;
  else
    all = error;
}

// The rows of which single fields could not be read, by their columns in `schema`.
struct PartialRows {
  data::Batch rows;
  std::vector<std::size_t> places;  // among the bad rows
};

PartialRows partial_rows(const data::Schema& schema, std::span<const data::BadTextRow> bad) {
  PartialRows partial;
  std::vector<data::ColumnBuilder> builders;
  for (const data::Field& field : schema.fields) builders.emplace_back(field.type);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    if (bad[i].values.empty()) continue;
    for (std::size_t column = 0; column < builders.size(); ++column)
      builders[column].append(bad[i].values[column]);
    partial.places.push_back(i);
  }
  partial.rows.schema = schema;
  partial.rows.rows = static_cast<std::int64_t>(partial.places.size());
  for (data::ColumnBuilder& builder : builders) partial.rows.columns.push_back(builder.finish());
  return partial;
}

}  // namespace

Result<ConformedRows> conform(const data::Batch& table, const define::Source& source) {
  ConformedRows out;
  out.rows.schema = source.schema;
  out.rows.rows = table.rows;
  const quality::JsonExtraction extraction(source);
  std::optional<Error> wrong;  // of all columns
  for (std::size_t i = 0; i < source.columns.size(); ++i) {
    const define::SourceColumn& declared = source.columns[i];
    if (declared.json) {
      out.rows.columns.emplace_back();
      continue;
    }
    const data::Column* column = table.find(declared.name);
    if (column == nullptr && declared.nullable) {  // a file of before the column was added
      out.rows.columns.push_back(nulls(declared.type, table.rows));
      continue;
    }
    if (column == nullptr) {
      add_error({Code::unknown_key,
                 "the table has no column '" + declared.name + "'",
                 "source '" + source.name + "' declares it",
                 {},
                 {}},
                wrong);
      continue;
    }
    auto fitted =
        conform_column(*column, declared, Misfits(declared, static_cast<int>(i), out.unreadable));
    if (fitted)
      out.rows.columns.push_back(std::move(*fitted));
    else
      add_error(fitted.error(), wrong);
  }
  if (wrong) return std::unexpected(std::move(*wrong));
  if (!extraction.empty()) extraction.fill(out.rows, out.unreadable);
  std::ranges::stable_sort(out.unreadable, {}, &quality::UnreadableValue::row);
  return out;
}

Result<ConformedRows> conform(const data::Batch& table, std::span<const std::int64_t> lines,
                              std::span<const data::BadTextRow> bad, const define::Source& source) {
  const PartialRows partial = partial_rows(table.schema, bad);
  if (partial.places.empty()) return conform(table, source);
  // By line, as they stand in the file.
  std::vector<std::int64_t> order, numbers, partial_at;
  auto next = partial.places.begin();
  for (std::int64_t row = 0; row <= table.rows; ++row) {
    for (; next != partial.places.end() &&
           (row == table.rows || bad[*next].line < lines[static_cast<std::size_t>(row)]);
         ++next) {
      partial_at.push_back(std::ssize(order));
      order.push_back(table.rows + (next - partial.places.begin()));
      numbers.push_back(-1 - static_cast<std::int64_t>(*next));
    }
    if (row == table.rows) break;
    order.push_back(row);
    numbers.push_back(row);
  }
  const std::array<data::Batch, 2> parts = {table, partial.rows};
  COEVAL_ASSIGN(const data::Batch both, data::concatenate(parts));
  COEVAL_ASSIGN(ConformedRows out, conform(data::take(both, order), source));
  out.numbers = std::move(numbers);

  const quality::JsonExtraction extraction(source);
  for (std::size_t i = 0; i < partial.places.size(); ++i)
    for (const data::BadCell& cell : bad[partial.places[i]].cells) {
      const std::string& column = table.schema.fields[static_cast<std::size_t>(cell.column)].name;
      out.unreadable.push_back({partial_at[i], source.schema.index_of(column),
                                column + (cell.missing ? ".null" : ".type"), cell.reason,
                                cell.observed});
      extraction.add_taken_out_of(column, partial_at[i], out.unreadable);
    }
  std::ranges::stable_sort(out.unreadable, {}, &quality::UnreadableValue::row);
  return out;
}

}  // namespace coeval::replay
