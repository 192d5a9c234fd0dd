#include "quality/correlation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "exact/byte_codec.h"
#include "exact/natural.h"

namespace coeval::quality {

namespace {

constexpr int kUnitExponent = -2148;

double number_at(const data::Column& column, std::int64_t row) {
  if (data::is_float(column.type())) return column.real(row);
  if (column.type() == data::Type::boolean) return column.bit(row) ? 1 : 0;
  return static_cast<double>(column.integer(row));
}

bool has_numbers(data::Type type) { return !data::has_bytes(type); }

/// ±size · 2^exponent with an even exponent and size in [1/4, 1), or 0.
struct Scaled {
  double size = 0;
  int exponent = 0;
  bool negative = false;
};

// n·Σab − Σa·Σb, exact, then rounded once.
Scaled spread(std::int64_t count, const exact::LongSum& products, const exact::ExactSum& a,
              const exact::ExactSum& b) {
  const auto a_limbs = a.total(), b_limbs = b.total();
  const exact::PlacedInteger of_a(a_limbs), of_b(b_limbs);
  exact::PlacedInteger of_sums = of_a;
  of_sums.value = of_a.value * of_b.value;
  of_sums.first = of_a.first + of_b.first;
  const exact::PlacedInteger of_products(products.limbs(), products.first_limb());
  const std::size_t unit = std::min(of_products.first, of_sums.first);
  const exact::Integer rows{exact::Int128{count}};
  const exact::Integer exact_spread = rows * of_products.in_units(unit) - of_sums.in_units(unit);
  if (exact_spread.magnitude.is_zero()) return {};
  const int bits = exact_spread.magnitude.bits();
  const int scale = bits % 2 == 0 ? bits : bits + 1;  // below 2^scale
  const double size =
      exact::round_magnitude(exact_spread.magnitude.limbs(), -scale, false, exact::kFloat64);
  return {size, kUnitExponent + 64 * static_cast<int>(unit) + scale, exact_spread.negative};
}

}  // namespace

void Correlation::add(const data::Column& x, const data::Column& y) {
  COEVAL_CHECK(x.size() == y.size() && has_numbers(x.type()) && has_numbers(y.type()));
  for (std::int64_t row = 0; row < x.size(); ++row) {
    if (x.is_null(row) || y.is_null(row)) continue;
    const double a = number_at(x, row), b = number_at(y, row);
    if (!std::isfinite(a) || !std::isfinite(b)) continue;
    ++count_;
    x_.add(a);
    y_.add(b);
    xx_.add(a);
    yy_.add(b);
    xy_.add(a, b);
  }
}

void Correlation::merge(const Correlation& other) {
  count_ += other.count_;
  x_.merge(other.x_);
  y_.merge(other.y_);
  xx_.merge(other.xx_);
  yy_.merge(other.yy_);
  xy_.merge(other.xy_);
}

std::optional<double> Correlation::value() const {
  if (count_ < 2) return std::nullopt;
  const Scaled of_x = spread(count_, xx_.total(), x_, x_),
               of_y = spread(count_, yy_.total(), y_, y_);
  if (of_x.size == 0 || of_y.size == 0) return std::nullopt;
  const Scaled together = spread(count_, xy_.total(), x_, y_);
  // All exponents are even, so their half is whole; of a column with itself this is 1.
  const double size = std::ldexp(together.size / std::sqrt(of_x.size * of_y.size),
                                 together.exponent - (of_x.exponent + of_y.exponent) / 2);
  return std::copysign(std::min(size, 1.0), together.negative ? -1.0 : 1.0);
}

void Correlation::append_bytes(std::string& out) const {
  exact::append_count(out, count_);
  x_.append_bytes(out);
  y_.append_bytes(out);
  xx_.append_bytes(out);
  yy_.append_bytes(out);
  xy_.append_bytes(out);
}

bool Correlation::read_bytes(std::string_view& bytes) {
  Correlation read;
  if (!exact::read_count(bytes, read.count_) || !read.x_.read_bytes(bytes) ||
      !read.y_.read_bytes(bytes) || !read.xx_.read_bytes(bytes) || !read.yy_.read_bytes(bytes) ||
      !read.xy_.read_bytes(bytes))
    return false;
  *this = std::move(read);
  return true;
}

Result<std::vector<CorrelatedColumns>> correlations(const data::Batch& batch,
                                                    std::span<const int> columns,
                                                    WorkerPool* pool) {
  for (const int column : columns) {
    if (column < 0 || static_cast<std::size_t>(column) >= batch.columns.size())
      return fail(Code::unknown_column, "there is no column " + std::to_string(column));
    const data::Field& field = batch.schema.fields[static_cast<std::size_t>(column)];
    if (!has_numbers(field.type))
      return fail(Code::type_mismatch, "column '" + field.name + "' (" + data::name(field.type) +
                                           ") has no numbers to correlate");
  }
  std::vector<int> ascending(columns.begin(), columns.end());
  std::sort(ascending.begin(), ascending.end());
  ascending.erase(std::unique(ascending.begin(), ascending.end()), ascending.end());
  std::vector<CorrelatedColumns> pairs;
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = i + 1; j < ascending.size(); ++j)
      pairs.push_back({ascending[i], ascending[j], 0, {}});
  const auto compute = [&](std::size_t i) {
    Correlation correlation;
    correlation.add(batch.columns[static_cast<std::size_t>(pairs[i].x)],
                    batch.columns[static_cast<std::size_t>(pairs[i].y)]);
    pairs[i].rows = correlation.rows();
    pairs[i].value = correlation.value();
  };
  if (pool != nullptr)
    pool->run(pairs.size(), compute);
  else
    for (std::size_t i = 0; i < pairs.size(); ++i) compute(i);
  return pairs;
}

}  // namespace coeval::quality
