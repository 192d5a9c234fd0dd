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
                                                 const data::Batch& inputs) {
  COEVAL_ASSIGN(const std::string bytes, model_bytes(folder, bits_id));
  COEVAL_ASSIGN(const auto contributions, models::Contributions::read(bytes));
  if (contributions.outputs() != 1 || contributions.width() != encoder.width())
    return fail(Code::unsupported, "contributions are told of models with one output");
  std::vector<float> row(encoder.width());
  COEVAL_TRY(encoder.encode(inputs, row));
  std::vector<double> found(row.size() + 1);
  contributions.of(row, found);
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
