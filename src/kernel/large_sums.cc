#include "kernel/large_sums.h"

namespace coeval::kernel {

void LargeSums::start(const RecordLayout& layout, std::size_t bounds) {
  wide.assign(bounds * layout.summed_wide, 0);
  reals.assign(bounds * layout.summed_real, {});
  powers.clear();
  for (std::size_t i = 0; i < bounds; ++i)
    for (const auto& plan : layout.powers) powers.emplace_back(plan);
}

void LargeSums::count(const RecordLayout& layout, std::size_t bound, const std::byte* record,
                      std::int64_t sign) {
  exact::Int128* integers = wide.data() + bound * layout.summed_wide;
  for (std::size_t i = 0; i < layout.summed_wide; ++i)
    integers[i] +=
        sign * static_cast<exact::Int128>(load<std::int64_t>(record + layout.wide_at + 8 * i));
  exact::ExactSum* sums = reals.data() + bound * layout.summed_real;
  for (std::size_t i = 0; i < layout.summed_real; ++i) {
    const double value = load<double>(record + layout.real_at + 8 * i);
    sign > 0 ? sums[i].add(value) : sums[i].subtract(value);
  }
  PowerSum* moments = powers.data() + bound * layout.powers.size();
  for (std::size_t i = 0; i < layout.powers.size(); ++i)
    moments[i].change(layout, layout.powers[i], record, sign);
}

void LargeSums::count(const RecordLayout& layout, std::size_t bound, TallyParts tally,
                      std::int64_t sign) {
  const std::size_t integers = layout.summed_wide, numbers = layout.summed_real;
  for (std::size_t i = 0; i < integers; ++i) wide[bound * integers + i] += sign * tally.wide[i];
  for (std::size_t i = 0; i < numbers; ++i) {
    exact::ExactSum& sum = reals[bound * numbers + i];
    sign > 0 ? sum.merge(tally.reals[i]) : sum.unmerge(tally.reals[i]);
  }
  for (std::size_t i = 0; i < layout.powers.size(); ++i)
    powers[bound * layout.powers.size() + i].combine(tally.powers[i], sign);
}

}  // namespace coeval::kernel
