#include "simulation.h"

#include <algorithm>
#include <utility>

namespace coeval::sim {

namespace {

constexpr std::uint64_t kFewestSteps = 50, kMostSteps = 400;

// The same violation is told in the same words in every run.
void without_folder(std::string& text, const std::string& folder) {
  for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder, at))
    text.replace(at, folder.size(), "…");
}

class Simulation {
 public:
  Simulation(const Order& order, const std::vector<Definition>& definitions)
      : order_(order), definitions_(definitions), random_(order.seed) {}

  Outcome run() {
    while (outcome_.steps < order_.steps) {
      if (const Status played = play_world(); !played) {
        outcome_.violation = report(played.error());
        break;
      }
    }
    return std::move(outcome_);
  }

 private:
  Status play_world() {
    const Definition& definition = definitions_[random_.below(definitions_.size())];
    const std::uint64_t seed = random_.bits();
    const std::uint64_t length = kFewestSteps + random_.below(kMostSteps - kFewestSteps);
    ++outcome_.worlds;
    where_ = "world " + std::to_string(outcome_.worlds) + " (" + definition.name + ")";
    action_ = "a new world";
    COEVAL_ASSIGN(const auto world,
                  World::create(definition, order_.plant, seed, traced_in(where_)));
    Status played = play(*world, std::min(length, order_.steps - outcome_.steps));
    action_ = world->action();
    outcome_.tally.add(world->tally());
    if (!played) without_folder(played.error().message, world->folder());
    return played;
  }

  Status play(World& world, std::uint64_t steps) {
    for (std::uint64_t i = 0; i < steps; ++i) {
      ++outcome_.steps;
      COEVAL_TRY(world.step());
    }
    return world.finish();
  }

  World::Trace traced_in(const std::string& where) {
    if (!order_.trace) return {};
    return [this, where](const std::string& action) {
      order_.trace("step " + std::to_string(outcome_.steps) + ", " + where + ": " + action);
    };
  }

  std::string report(const Error& error) const {
    std::string text = "step " + std::to_string(outcome_.steps) + " of seed " +
                       std::to_string(order_.seed) + ", " + where_ + ", after \"" + action_ +
                       "\": " + error.message;
    for (const std::string& context : error.context) text += " (" + context + ")";
    // As many steps as were asked for: the last world is cut to fit.
    text += "\nreplay: coeval-sim --seed " + std::to_string(order_.seed) + " --steps " +
            std::to_string(order_.steps);
    for (const PlantInfo& info : plants())
      if (info.plant == order_.plant) text += " --plant " + std::string(info.name);
    return text + " --trace";
  }

  const Order& order_;
  const std::vector<Definition>& definitions_;
  Random random_;
  Outcome outcome_;
  std::string where_, action_;
};

}  // namespace

Outcome simulate(const Order& order) {
  const auto definitions = make_definitions();
  if (!definitions) return {0, 0, {}, "the definitions: " + one_line(definitions.error())};
  return Simulation(order, *definitions).run();
}

}  // namespace coeval::sim
