#include "define/checks.h"

#include "base/check.h"

namespace coeval::define {

std::string_view name(CheckKind kind) {
  switch (kind) {
    case CheckKind::row:
      return "row";
    case CheckKind::increasing:
      return "increasing";
    case CheckKind::refers:
      return "refers";
    case CheckKind::unique:
      return "unique";
    case CheckKind::rows:
      return "rows";
    case CheckKind::volume:
      return "volume";
    case CheckKind::null_share:
      return "null_share";
    case CheckKind::distinct:
      return "distinct";
    case CheckKind::mean:
      return "mean";
    case CheckKind::quantile:
      return "quantile";
    case CheckKind::sum:
      return "sum";
    case CheckKind::freshness:
      return "freshness";
    case CheckKind::late_share:
      return "late_share";
    case CheckKind::out_of_order_share:
      return "out_of_order_share";
    case CheckKind::gap:
      return "gap";
    case CheckKind::psi:
      return "psi";
    case CheckKind::ks:
      return "ks";
    case CheckKind::linf:
      return "linf";
    case CheckKind::js:
      return "js";
    case CheckKind::chi2:
      return "chi2";
    case CheckKind::new_values:
      return "new_values";
    case CheckKind::vanished_values:
      return "vanished_values";
  }
  COEVAL_CHECK(false);
  return {};
}

}  // namespace coeval::define
