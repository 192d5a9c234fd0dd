#include "training/model_card_importance.h"

#include <cmath>

#include "models/contributions.h"
#include "models/golden_file.h"
#include "stores/files.h"
#include "training/registered_model.h"

namespace coeval::training {

Result<Importance> importance_of(const std::string& folder, std::string_view bits_id) {
  COEVAL_ASSIGN(const std::string bytes, model_bytes(folder, bits_id));
  COEVAL_ASSIGN(const auto contributions, models::Contributions::read(bytes));
  COEVAL_ASSIGN(const std::string stored, stores::read_file(folder + "/golden.bin"));
  COEVAL_ASSIGN(const auto golden, models::read_golden(stored));
  const std::size_t width = contributions.width();
  Importance found{std::vector<double>(width), golden.size()};
  std::vector<double> one(contributions.outputs() * (width + 1));
  for (const auto& row : golden) {
    if (row.row.size() != width)
      return fail(Code::bad_model, "a golden row has another width than the model");
    contributions.of(row.row, one);
    for (std::size_t output = 0; output < contributions.outputs(); ++output)
      for (std::size_t input = 0; input < width; ++input)
        found.mean_size[input] += std::abs(one[output * (width + 1) + input]);
  }
  for (double& size : found.mean_size)
    if (!golden.empty()) size /= static_cast<double>(golden.size());
  return found;
}

}  // namespace coeval::training
