#include "training/replay_verdicts.h"

#include <algorithm>

namespace coeval::training {

namespace {

using data::Json;

std::string text_of(const Json& verdict) {
  const Json* passed = verdict.find("passed");
  const Json* measured = verdict.find("measured");
  const bool good = passed != nullptr && passed->boolean() != nullptr && *passed->boolean();
  return std::string(good ? "passed" : "FAILED") + " (" +
         (measured != nullptr && measured->string() != nullptr ? *measured->string() : "") + ")";
}

std::string gate_of(const Json& verdict) {
  const Json* gate = verdict.find("gate");
  return gate != nullptr && gate->string() != nullptr ? *gate->string() : "(without a name)";
}

// By place: a definition may have the same gate twice.
void compare(const Json& stored, const Json& now, const std::string& where,
             std::vector<std::string>& differences) {
  if (stored.dump() == now.dump()) return;
  if (stored.array() == nullptr) {
    differences.push_back("the verdicts in " + where + " are no list");
    return;
  }
  const auto& then = *stored.array();
  const auto& again = *now.array();
  for (std::size_t i = 0; i < std::max(then.size(), again.size()); ++i) {
    if (i >= again.size())
      differences.push_back("gate " + gate_of(then[i]) + " is stored in " + where +
                            " but not judged now");
    else if (i >= then.size())
      differences.push_back("gate " + gate_of(again[i]) + " is judged now but not stored in " +
                            where);
    else if (then[i].dump() != again[i].dump())
      differences.push_back("gate " + gate_of(again[i]) + ": " + text_of(then[i]) +
                            " is stored in " + where + ", " + text_of(again[i]) + " now");
  }
}

}  // namespace

Result<ReplayedVerdicts> replay_verdicts(const stores::ModelVersion& version,
                                         const models::ServedModel& served,
                                         const define::Model& model) {
  const Json* kept = served.card.details.find("evidence");
  if (kept == nullptr)
    return fail(Code::unsupported,
                version.model + "@v" + std::to_string(version.version) +
                    " was built by a coeval that kept no evidence of its verdicts",
                "coeval show " + version.model + " --version " + std::to_string(version.version) +
                    " prints the verdicts themselves");
  auto evidence = evidence_from_json(*kept);
  if (!evidence)
    return fail(Code::bad_model, "the evidence in " + version.folder +
                                     "/model.json cannot be read: " + evidence.error().message);
  ReplayedVerdicts replayed;
  replayed.evidence = std::move(*evidence);
  replayed.verdicts = judge(model.gates, replayed.evidence);
  const Json now = to_json(replayed.verdicts);
  COEVAL_ASSIGN(const Json registered, data::parse_json(version.gates_json));
  compare(registered, now, "the metadata", replayed.differences);
  const Json* card = served.card.details.find("gates");
  compare(card != nullptr ? *card : Json(), now, "model.json", replayed.differences);
  if (version.gates_passed != all_passed(replayed.verdicts))
    replayed.differences.push_back(std::string("the version is registered as ") +
                                   (version.gates_passed ? "passed" : "not passed"));
  return replayed;
}

}  // namespace coeval::training
