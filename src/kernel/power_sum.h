#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "exact/moments.h"
#include "exact/slope.h"
#include "kernel/record_layout.h"

namespace coeval::kernel {

/// Exact moments of one measure over a set of events: what a variance or a slope is read from.
/// Events that take no part are left out. (semantics: A1 A2 A5)
class PowerSum {
 public:
  PowerSum() = default;
  explicit PowerSum(const PowerPlan& plan);
  /// Of moments that are at hand.
  template <class Moments>
    requires requires(const Moments& moments) { moments.count(); }
  explicit PowerSum(Moments moments) : sums_(std::move(moments)) {}

  /// Adds one record (sign 1) or takes it away (−1).
  void change(const RecordLayout& layout, const PowerPlan& plan, const std::byte* record,
              std::int64_t sign);
  /// Adds the events of another sum of the same plan (sign 1) or takes them away (−1).
  void combine(const PowerSum& other, std::int64_t sign);

  std::int64_t count() const;
  /// Null as semantics A7 says; `kind` is var, std, var_pop, std_pop or slope. What was added is
  /// the values times 10^scale.
  std::optional<double> answer(define::Aggregation kind, int scale) const;

  /// Canonical bytes; read_bytes takes them off the front, into a sum of the same plan.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  std::variant<exact::IntegerMoments, exact::Moments, exact::IntegerSlopeMoments,
               exact::SlopeMoments>
      sums_;
};

}  // namespace coeval::kernel
