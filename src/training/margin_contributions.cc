#include "training/margin_contributions.h"

#include <algorithm>
#include <cmath>

#include "exact/exact_sum.h"
#include "models/contributions.h"
#include "training/registered_model.h"

namespace coeval::training {

bool MarginContributions::adds_up_to(double margin) const {
  double sizes = std::abs(bias);
  for (const double each : by_input) sizes += std::abs(each);
  return std::abs(sum - margin) <= 1e-5 * std::max(1.0, sizes);
}

Result<MarginContributions> margin_contributions(const std::string& folder,
                                                 std::string_view bits_id,
                                                 const models::Encoder& encoder,
                                                 const data::Batch& inputs, std::size_t output) {
  COEVAL_ASSIGN(const std::string bytes, model_bytes(folder, bits_id));
  COEVAL_ASSIGN(const auto contributions, models::Contributions::read(bytes));
  if (output >= contributions.outputs() || contributions.width() != encoder.width())
    return fail(Code::unsupported, "the model has no such output or other inputs");
  std::vector<float> row(encoder.width());
  COEVAL_TRY(encoder.encode(inputs, row));
  const std::size_t terms = row.size() + 1;
  std::vector<double> all(terms * contributions.outputs());
  contributions.of(row, all);
  const auto from = all.begin() + static_cast<std::ptrdiff_t>(output * terms);
  std::vector<double> found(from, from + static_cast<std::ptrdiff_t>(terms));
  exact::ExactSum sum;
  for (const double each : found) sum.add(each);
  MarginContributions made;
  made.bias = found.back();
  found.pop_back();
  made.by_input = std::move(found);
  made.sum = sum.round();
  return made;
}

}  // namespace coeval::training
