#include "kernel/power_sum.h"

#include <bit>
#include <type_traits>

#include "data/decimal.h"

namespace coeval::kernel {

namespace {

using define::Aggregation;
using exact::Divisor;

template <class Sums>
constexpr bool kIsReal =
    std::is_same_v<Sums, exact::Moments> || std::is_same_v<Sums, exact::SlopeMoments>;
template <class Sums>
constexpr bool kIsSlope =
    std::is_same_v<Sums, exact::IntegerSlopeMoments> || std::is_same_v<Sums, exact::SlopeMoments>;

template <class Sums, class Value>
void change_sums(Sums& sums, std::int64_t time, Value value, std::int64_t sign) {
  if constexpr (kIsSlope<Sums>)
    sign > 0 ? sums.add(time, value) : sums.subtract(time, value);
  else
    sign > 0 ? sums.add(value) : sums.subtract(value);
}

}  // namespace

PowerSum::PowerSum(const PowerPlan& plan) {
  const bool real = plan.measure.storage == Storage::real;
  if (plan.against_time && real)
    sums_.emplace<exact::SlopeMoments>();
  else if (plan.against_time)
    sums_.emplace<exact::IntegerSlopeMoments>();
  else if (real)
    sums_.emplace<exact::Moments>();
}

void PowerSum::change(const RecordLayout& layout, const PowerPlan& plan, const std::byte* record,
                      std::int64_t sign) {
  if (!bit_of(record, plan.measure.part_bit)) return;
  const std::uint64_t bits = value_bits(layout, plan.measure, record);
  const std::int64_t time = event_time_of(record);
  std::visit(
      [&]<class Sums>(Sums& sums) {
        if constexpr (kIsReal<Sums>)
          change_sums(sums, time, std::bit_cast<double>(bits), sign);
        else
          change_sums(sums, time, static_cast<std::int64_t>(bits), sign);
      },
      sums_);
}

void PowerSum::combine(const PowerSum& other, std::int64_t sign) {
  std::visit(
      [&]<class Sums>(Sums& sums) {
        const Sums& others = std::get<Sums>(other.sums_);
        sign > 0 ? sums.merge(others) : sums.unmerge(others);
      },
      sums_);
}

std::int64_t PowerSum::count() const {
  return std::visit([](const auto& sums) { return sums.count(); }, sums_);
}

std::optional<double> PowerSum::answer(Aggregation kind, int scale) const {
  return std::visit(
      [&]<class Sums>(const Sums& sums) -> std::optional<double> {
        const auto unit = static_cast<std::uint64_t>(data::power_of_ten(scale));
        if constexpr (std::is_same_v<Sums, exact::IntegerSlopeMoments>) {
          return sums.slope(unit);
        } else if constexpr (std::is_same_v<Sums, exact::SlopeMoments>) {
          return sums.slope();
        } else {
          const bool sample = kind == Aggregation::var || kind == Aggregation::std;
          const bool root = kind == Aggregation::std || kind == Aggregation::std_pop;
          const Divisor divisor = sample ? Divisor::sample : Divisor::population;
          if constexpr (std::is_same_v<Sums, exact::IntegerMoments>)
            return root ? sums.deviation(divisor, unit) : sums.variance(divisor, unit);
          else
            return root ? sums.deviation(divisor) : sums.variance(divisor);
        }
      },
      sums_);
}

void PowerSum::append_bytes(std::string& out) const {
  std::visit([&](const auto& sums) { sums.append_bytes(out); }, sums_);
}

bool PowerSum::read_bytes(std::string_view& bytes) {
  return std::visit([&](auto& sums) { return sums.read_bytes(bytes); }, sums_);
}

}  // namespace coeval::kernel
