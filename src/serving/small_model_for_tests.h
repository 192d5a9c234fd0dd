#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "serving/model_plan.h"
#include "serving/small_forest_for_tests.h"

namespace coeval::serving::testing {

/// A model of stumps over a definition's inputs, which was never trained. Inputs that are strings
/// have known `texts`.
inline Result<LoadedModel> stump_model(const define::Model& model, const std::vector<Stump>& stumps,
                                       const std::vector<std::string>& texts, int version = 1) {
  data::Batch rows;
  rows.rows = static_cast<std::int64_t>(texts.size());
  for (const define::Input& input : model.inputs) {
    data::ColumnBuilder builder(input.type);
    for (const std::string& text : texts) {
      if (input.type == data::Type::string)
        builder.append_string(text);
      else
        builder.append_null();
    }
    rows.schema.fields.push_back({input.name, input.type, true});
    rows.columns.push_back(builder.finish());
  }
  COEVAL_ASSIGN(models::Encoder encoder, models::Encoder::fit(model.inputs, rows));
  COEVAL_ASSIGN(models::Forest forest,
                models::Forest::from_xgboost_ubj(forest_ubj(model.inputs.size(), stumps)));
  models::ModelCard card;
  card.name = model.name;
  card.ir_hash = model.ir_hash;
  card.ir = model.ir;
  card.bits_id = std::string(64, static_cast<char>('0' + version));
  return LoadedModel{std::make_shared<models::ServedModel>(models::ServedModel{
                         std::move(card), std::move(encoder), std::move(forest), data::Json(), {}}),
                     version};
}

/// So many stumps, over one input after the other.
inline std::vector<Stump> many_stumps(const define::Model& model, std::int32_t count) {
  std::vector<Stump> stumps;
  const auto width = static_cast<std::int32_t>(model.inputs.size());
  for (std::int32_t i = 0; i < count; ++i) stumps.push_back({i % width, 0.5f, -0.01f, 0.02f});
  return stumps;
}

}  // namespace coeval::serving::testing
