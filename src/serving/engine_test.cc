#include "serving/engine.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "data/row_codec.h"
#include "serving/engine_for_tests.h"
#include "serving/log_writer.h"
#include "stores/faulty_files.h"
#include "stores/record_names.h"

namespace coeval::serving {
namespace {

using testing::at;
using testing::event;
using testing::kNoon;
using testing::parsed;
using testing::SmallEngine;

const std::string kQuestion = R"({"origin":"ATL","distance":1200})";

std::string text_at(const Answer& answer, std::string_view key) {
  const data::Json member = at(parsed(answer.body), key);
  REQUIRE(member.string() != nullptr);
  return *member.string();
}

/// The probability that XGBoost's logistic gives a margin, from the C++ library's own exp.
double logistic(double margin) { return 1 / (1 + std::exp(-margin)); }

std::vector<stores::RecordKind> kinds(const stores::EventLog& log) {
  std::vector<stores::RecordKind> found;
  REQUIRE(log.read(Position{0},
                   [&](const stores::Record& record) {
                     found.push_back(record.kind);
                     return true;
                   })
              .has_value());
  return found;
}

TEST_CASE("an event is seen by the next question, and by none before it") {
  SmallEngine small;
  Engine& engine = *small.engine;
  const Answer before = engine.predict("late", kQuestion, true, {});
  REQUIRE(before.status == 200);
  CHECK(*at(at(parsed(before.body), "features"), "origin.flights_3h").integer() == 0);
  CHECK(at(at(parsed(before.body), "features"), "origin.late_3h").is_null());

  const Answer taken = engine.events("flights", event("ATL", "2001-06-01T11:00:00Z", 700, 40), {});
  CHECK(taken.status == 200);
  CHECK(*at(parsed(taken.body), "accepted").integer() == 1);
  CHECK(*at(parsed(taken.body), "last_position").integer() == 1);

  const Answer after = engine.predict("late", kQuestion, true, {});
  REQUIRE(after.status == 200);
  const data::Json features = at(parsed(after.body), "features");
  CHECK(*at(features, "origin.flights_3h").integer() == 1);
  CHECK(*at(features, "origin.late_3h").real() == 1.0);
  CHECK(*at(features, "weekday").integer() == 4);  // a Friday
  CHECK(*at(features, "pressure").real() == 1.0);
  CHECK(*at(parsed(after.body), "position").integer() == 2);
  CHECK(*at(parsed(after.body), "score").real() == doctest::Approx(logistic(2.0)).epsilon(1e-6));
  CHECK(*at(parsed(before.body), "score").real() == doctest::Approx(logistic(-0.5)).epsilon(1e-6));
  CHECK(*at(parsed(after.body), "decision").boolean());
  CHECK_FALSE(*at(parsed(before.body), "decision").boolean());
}

TEST_CASE("a question's time is one microsecond after what is known, when the clock stands still") {
  SmallEngine small;
  CHECK(text_at(small.engine->predict("late", kQuestion, false, {}), "at") ==
        "2001-06-01T12:00:00Z");
  // The prediction's own record is known at noon.
  CHECK(text_at(small.engine->predict("late", kQuestion, false, {}), "at") ==
        "2001-06-01T12:00:00.000001Z");
  small.clock->set(kNoon + kHourUs);
  CHECK(text_at(small.engine->predict("late", kQuestion, false, {}), "at") ==
        "2001-06-01T13:00:00Z");
}

TEST_CASE("known time never goes back, even when the clock does") {
  SmallEngine small;
  REQUIRE(
      small.engine->events("flights", event("ATL", "2001-06-01T11:00:00Z", 700, 40), {}).status ==
      200);
  small.clock->set(kNoon - kHourUs);
  REQUIRE(
      small.engine->events("flights", event("ATL", "2001-06-01T10:00:00Z", 700, 0), {}).status ==
      200);
  CHECK(small.log_view->last_known().us == kNoon);
  const Answer answer = small.engine->predict("late", kQuestion, true, {});
  CHECK(*at(at(parsed(answer.body), "features"), "origin.flights_3h").integer() == 2);
}

TEST_CASE("a question may lie in the past as far as the views reach, and no further") {
  SmallEngine small;
  REQUIRE(
      small.engine->events("flights", event("ATL", "2001-06-01T11:00:00Z", 700, 40), {}).status ==
      200);
  const Answer recent = small.engine->predict(
      "late", R"({"origin":"ATL","distance":1,"at":"2001-05-31T20:00:00Z"})", true, {});
  CHECK(recent.status == 200);
  CHECK(*at(at(parsed(recent.body), "features"), "origin.flights_3h").integer() == 0);
  const Answer old = small.engine->predict(
      "late", R"({"origin":"ATL","distance":1,"at":"2001-05-30T00:00:00Z"})", true, {});
  CHECK(old.status == 400);
  CHECK(text_at(old, "code") == code_name(Code::question_too_old));
  CHECK(text_at(old, "advice").find("coeval dataset late") != std::string::npos);
}

TEST_CASE(
    "the question's time may be given under the name of its column, but not as another moment") {
  SmallEngine small;
  const Answer named = small.engine->predict(
      "late", R"({"origin":"ATL","distance":1,"date":"2001-06-02"})", false, {});
  CHECK(text_at(named, "at") == "2001-06-02T00:00:00Z");
  const Answer twice = small.engine->predict(
      "late", R"({"origin":"ATL","distance":1,"date":"2001-06-02","at":"2001-06-03"})", false, {});
  CHECK(twice.status == 400);
}

TEST_CASE("what is wrong with a question is said by name") {
  SmallEngine small;
  const auto answer = [&](const std::string& body) {
    return small.engine->predict("late", body, false, {});
  };
  CHECK(answer(R"({"origin":"ATL"})").status == 400);
  CHECK(text_at(answer(R"({"origin":"ATL"})"), "code") == code_name(Code::missing_value));
  CHECK(text_at(answer(R"({"origin":"ATL"})"), "error").find("'distance'") != std::string::npos);
  CHECK(text_at(answer(R"({"origin":"ATL","distance":"far"})"), "code") ==
        code_name(Code::type_mismatch));
  CHECK(text_at(answer(R"({"origin":"ATL","distance":3000000000})"), "code") ==
        code_name(Code::out_of_range));
  CHECK(text_at(answer(R"({"orgin":"ATL","distance":1})"), "code") == code_name(Code::unknown_key));
  CHECK(text_at(answer(R"({"orgin":"ATL","distance":1})"), "advice") == "did you mean 'origin'?");
  CHECK(text_at(answer("{"), "code") == code_name(Code::bad_json));
  CHECK(text_at(answer("7"), "code") == code_name(Code::bad_json));
  CHECK(small.log_view->next_position() == Position{0});
}

TEST_CASE("a question obeys the declared rules of its columns, and hears of all that it breaks") {
  SmallEngine small;
  const Answer answer =
      small.engine->predict("late", R"({"origin":"atl","distance":70000})", false, {});
  CHECK(answer.status == 422);
  CHECK(text_at(answer, "code") == code_name(Code::bad_row));
  CHECK(text_at(answer, "error") ==
        "distance must be at most 6000, found 70000; origin must match [A-Z]{3}, found \"atl\"");
  const data::Json::Array broken = *at(parsed(answer.body), "broken_rules").array();
  REQUIRE(broken.size() == 2);
  CHECK(*at(broken[0], "column").string() == "distance");
  CHECK(*at(broken[0], "rule").string() == "distance.max");
  CHECK(*at(broken[0], "found").integer() == 70000);
  CHECK(*at(broken[1], "rule").string() == "origin.pattern");
  CHECK(*at(broken[1], "found").string() == "atl");

  const Answer null = small.engine->predict("late", R"({"origin":null,"distance":-1})", false, {});
  CHECK(null.status == 422);
  const data::Json::Array both = *at(parsed(null.body), "broken_rules").array();
  REQUIRE(both.size() == 2);
  CHECK(*at(both[0], "rule").string() == "distance.min");
  CHECK(*at(both[1], "rule").string() == "origin.null");
  CHECK(at(both[1], "found").is_null());
  CHECK(small.log_view->next_position() == Position{0});
  CHECK(small.engine->metrics().body.find("coeval_predictions_total{") == std::string::npos);
}

TEST_CASE("questions that break rules are named among many, and the others get the same bits") {
  SmallEngine alone, small;
  const std::string good = R"({"origin":"ATL","distance":1200,"at":"2001-06-01T13:00:00Z"})";
  const std::string other = R"({"origin":"JFK","distance":900,"at":"2001-06-01T14:00:00Z"})";
  const Answer answer = small.engine->predict(
      "late", "[" + good + R"(,{"origin":"atl","distance":-3},{"origin":"ATL"},)" + other + "]",
      false, {});
  REQUIRE(answer.status == 200);
  const data::Json::Array four = *at(parsed(answer.body), "predictions").array();
  REQUIRE(four.size() == 4);
  CHECK(*at(four[1], "row").integer() == 1);
  CHECK(*at(four[1], "code").string() == code_name(Code::bad_row));
  CHECK(at(four[1], "broken_rules").array()->size() == 2);
  CHECK(*at(four[2], "row").integer() == 2);
  CHECK(*at(four[2], "code").string() == code_name(Code::missing_value));
  for (const auto& [place, question] : {std::pair{0, good}, std::pair{3, other}}) {
    const data::Json one = parsed(alone.engine->predict("late", question, false, {}).body);
    const data::Json& same = four[static_cast<std::size_t>(place)];
    CHECK(at(one, "score").dump() == at(same, "score").dump());
    CHECK(at(one, "at").dump() == at(same, "at").dump());
  }
  CHECK(small.log_view->next_position() == Position{2});
}

TEST_CASE("a request of bad questions only is answered, and nothing is logged") {
  SmallEngine small;
  const Answer answer =
      small.engine->predict("late", R"([{"origin":"x","distance":1}])", false, {});
  CHECK(answer.status == 200);
  CHECK(at((*at(parsed(answer.body), "predictions").array())[0], "broken_rules").array()->size() ==
        1);
  CHECK(small.log_view->next_position() == Position{0});
}

TEST_CASE("who asks a model that is not served hears why") {
  SmallEngine small;
  small.engine->set_models({},
                           {{"late", Error{Code::unknown_model,
                                           "no version of model 'late' is promoted (2 are built)",
                                           "coeval promote late",
                                           {},
                                           {}}}});
  const Answer answer = small.engine->predict("late", kQuestion, false, {});
  CHECK(answer.status == 404);
  CHECK(text_at(answer, "error") == "no version of model 'late' is promoted (2 are built)");
  CHECK(text_at(answer, "advice") == "coeval promote late");
  const data::Json::Array models = *at(parsed(small.engine->models().body), "models").array();
  REQUIRE(models.size() == 1);
  CHECK_FALSE(*at(models[0], "ready").boolean());
  CHECK(*at(models[0], "advice").string() == "coeval promote late");
  REQUIRE(small.engine->overview().absent.size() == 1);
  CHECK(text_at(small.engine->predict("lat", kQuestion, false, {}), "advice") ==
        "did you mean 'late'?");

  small.engine->set_models({});  // no reason given: nothing is claimed about builds
  const Answer bare = small.engine->predict("late", kQuestion, false, {});
  CHECK(bare.status == 404);
  CHECK(text_at(bare, "error").find("not built") == std::string::npos);
}

TEST_CASE("the server says which clock it runs on") {
  SmallEngine machine, data({.data_clock = true});
  CHECK(*at(parsed(machine.engine->models().body), "clock").string() == "system");
  CHECK(*at(parsed(data.engine->models().body), "clock").string() == "data");
}

TEST_CASE("many questions are answered in order, a bad one in its place") {
  SmallEngine small;
  const Answer answer = small.engine->predict(
      "late", "[" + kQuestion + R"(,{"origin":"ATL"},)" + kQuestion + "]", false, {});
  REQUIRE(answer.status == 200);
  const data::Json predictions = at(parsed(answer.body), "predictions");
  REQUIRE(predictions.array()->size() == 3);
  CHECK((*predictions.array())[0].find("score") != nullptr);
  CHECK(*(*predictions.array())[1].find("code")->string() == code_name(Code::missing_value));
  CHECK(*(*predictions.array())[2].find("position")->integer() == 0);
  CHECK(small.log_view->next_position() == Position{2});
  CHECK(small.engine->predict("late", "[]", false, {}).body == R"({"predictions":[]})");
}

TEST_CASE("a question gets the same bits alone and inside any block") {
  SmallEngine alone, together;
  std::string block;
  std::vector<std::string> scores;
  for (SmallEngine* small : {&alone, &together}) {
    for (int i = 0; i < 40; ++i) {
      REQUIRE(
          small->engine
              ->events("flights",
                       event(i % 3 == 0 ? "ATL" : "JFK", "2001-06-01T11:00:00Z", 500 + 37 * i, i),
                       {})
              .status == 200);
    }
  }
  for (int i = 0; i < 50; ++i) {
    const std::string question = R"({"origin":")" + std::string(i % 2 ? "ATL" : "SFO") +
                                 R"(","distance":)" + std::to_string(i * 50) +
                                 R"(,"at":"2001-06-01T13:00:00Z"})";
    block += (block.empty() ? "[" : ",") + question;
    const data::Json json = parsed(alone.engine->predict("late", question, true, {}).body);
    scores.push_back(at(json, "score").dump() + at(json, "features").dump());
  }
  const data::Json answer = parsed(together.engine->predict("late", block + "]", true, {}).body);
  const data::Json many = at(answer, "predictions");
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const data::Json& one = (*many.array())[i];
    CHECK(at(one, "score").dump() + at(one, "features").dump() == scores[i]);
  }
}

TEST_CASE("every prediction can be read back by its id as it was served") {
  SmallEngine small;
  REQUIRE(
      small.engine->events("flights", event("ATL", "2001-06-01T11:00:00Z", 700, 40), {}).status ==
      200);
  const data::Json served = parsed(small.engine->predict("late", kQuestion, true, {}).body);
  const Answer found = small.engine->prediction(*at(served, "prediction_id").string());
  REQUIRE(found.status == 200);
  const data::Json record = parsed(found.body);
  for (const char* key :
       {"prediction_id", "model", "version", "at", "position", "score", "decision", "features"}) {
    CHECK(at(record, key).dump() == at(served, key).dump());
  }
  CHECK(*at(at(record, "question"), "origin").string() == "ATL");
  CHECK(*at(at(record, "question"), "distance").integer() == 1200);
  CHECK(*at(record, "ir_hash").string() == small.project->find_model("late")->ir_hash);
}

TEST_CASE("an id that was never given out is not found") {
  SmallEngine small;
  REQUIRE(
      small.engine->events("flights", event("ATL", "2001-06-01T11:00:00Z", 700, 40), {}).status ==
      200);
  CHECK(small.engine->prediction("nonsense").status == 404);
  CHECK(small.engine->prediction(make_prediction_id(1, 0, 0)).status ==
        404);  // an event stands there
  CHECK(small.engine->prediction(make_prediction_id(1, 1000, 0)).status == 404);  // beyond the end
}

TEST_CASE("prediction ids are unique, sort by time and carry their position") {
  std::set<std::string> ids;
  std::string last;
  for (std::uint64_t position : {0ull, 1ull, 31ull, 32ull, 1ull << 40, ~0ull}) {
    for (std::uint16_t salt : std::initializer_list<std::uint16_t>{0, 1, 65535}) {
      const std::string id = make_prediction_id(1'000'000, position, salt);
      CHECK(id.size() == 26);
      CHECK(ids.insert(id).second);
      CHECK(position_of(id)->value == position);
    }
  }
  CHECK(make_prediction_id(999'999, ~0ull, 65535) < *ids.begin());
  // The ULID specification's own example of a time part: 1469918176385 is 01ARYZ6S41.
  CHECK(make_prediction_id(1'469'918'176'385, 0, 0) == "01ARYZ6S410000000000000000");
  CHECK_FALSE(position_of("01ARYZ6S41000000000000000I").has_value());
  CHECK_FALSE(position_of("81ARYZ6S410000000000000000").has_value());
}

TEST_CASE("a logged event carries the tags and bytes that replay reads it by") {
  SmallEngine small;
  REQUIRE(
      small.engine->events("flights", event("ATL", "2001-06-01T11:00:00Z", 700, 40), {}).status ==
      200);
  const define::Source& source = small.project->sources[0];
  REQUIRE(small.engine->commit().has_value());
  REQUIRE(small.log_view
              ->read(Position{0},
                     [&](const stores::Record& record) {
                       CHECK(record.source == stores::source_tag("flights"));
                       CHECK(record.schema_version == stores::schema_tag(source.schema));
                       CHECK(record.known.us == kNoon);
                       std::vector<data::ColumnBuilder> builders;
                       for (const data::Field& field : source.schema.fields)
                         builders.emplace_back(field.type);
                       REQUIRE(
                           data::decode_row(record.payload, source.schema, builders).has_value());
                       const auto delay = static_cast<std::size_t>(source.schema.index_of("delay"));
                       CHECK(builders[delay].finish().integer(0) == 40);
                       return false;
                     })
              .has_value());
}

TEST_CASE("good rows are kept and bad rows are set aside with every reason") {
  SmallEngine small;
  const std::string body = "[" + event("ATL", "2001-06-01T11:00:00Z", 700, 40) + "," +
                           event("atl", "2001-06-01T11:00:00Z", 70000, 0) +
                           R"(,{"date":"2001-06-01","origin":5,"distance":"x"},17])";
  const Answer answer = small.engine->events("flights", body, {});
  REQUIRE(answer.status == 200);
  const data::Json json = parsed(answer.body);
  CHECK(*at(json, "accepted").integer() == 1);
  CHECK(*at(json, "quarantined").integer() == 3);
  const data::Json::Array errors = *at(json, "errors").array();
  REQUIRE(errors.size() == 3);
  CHECK(at(errors[0], "rules").dump() == R"(["distance.max","origin.pattern"])");
  CHECK(*at(errors[0], "row").integer() == 1);
  CHECK(at(errors[1], "rules").dump() == R"(["delay.null","distance.type","origin.type"])");
  CHECK(at(errors[2], "rules").dump() == R"(["row.type"])");

  REQUIRE(small.engine->commit().has_value());
  const auto kept_out = quality::read_quarantine(small.folder.path(), "flights");
  REQUIRE(kept_out.has_value());
  REQUIRE(kept_out->size() == 3);
  CHECK((*kept_out)[0].origin == "http");
  CHECK(parsed((*kept_out)[0].raw).dump() ==
        parsed(event("atl", "2001-06-01T11:00:00Z", 70000, 0)).dump());
}

TEST_CASE("one bad row alone is refused as such") {
  SmallEngine small;
  const Answer answer = small.engine->events("flights", event("ATL", "2001-06-01", 700, -185), {});
  CHECK(answer.status == 422);
  CHECK(text_at(answer, "code") == code_name(Code::bad_row));
  CHECK(text_at(answer, "error").find("-185") != std::string::npos);
  CHECK(at(parsed(answer.body), "last_position").is_null());
  CHECK(small.log_view->next_position() == Position{0});
}

TEST_CASE("events may come one a line, and a line that is no JSON is a bad row") {
  SmallEngine small;
  const std::string good = event("ATL", "2001-06-01T11:00:00Z", 700, 40);
  const Answer answer = small.engine->events("flights", good + "\n\n{oops}\r\n" + good + "\n", {});
  REQUIRE(answer.status == 200);
  CHECK(*at(parsed(answer.body), "accepted").integer() == 2);
  const data::Json error = (*at(parsed(answer.body), "errors").array())[0];
  CHECK(at(error, "rules").dump() == R"(["row.json"])");
  CHECK(*at(error, "row").integer() == 1);
}

TEST_CASE("an event laid out over several lines is one event") {
  SmallEngine small;
  const Answer answer =
      small.engine->events("flights",
                           "{\n \"date\": \"2001-06-01\",\n \"origin\": \"ATL\",\n \"distance\": "
                           "1,\n \"delay\": 2,\n \"more\": {}\n}\n",
                           {});
  CHECK(answer.status == 200);
  CHECK(*at(parsed(answer.body), "accepted").integer() == 1);
}

TEST_CASE("an unknown source or model is not found, with the nearest name") {
  SmallEngine small;
  CHECK(small.engine->events("flihgts", "{}", {}).status == 404);
  CHECK(text_at(small.engine->events("flihgts", "{}", {}), "advice") == "did you mean 'flights'?");
  const Answer model = small.engine->predict("lat", kQuestion, false, {});
  CHECK(model.status == 404);
  CHECK(text_at(model, "code") == code_name(Code::unknown_model));
  CHECK(text_at(model, "advice") == "did you mean 'late'?");
}

TEST_CASE("a model that was built from another definition does not score") {
  SmallEngine small;
  LoadedModel loaded = testing::small_model(*small.project, 1);
  auto other = std::make_shared<models::ServedModel>(*loaded.served);
  other->card.ir_hash = std::string(64, 'f');
  small.engine->set_models({{"late", {other, 1}}});
  const Answer answer = small.engine->predict("late", kQuestion, false, {});
  CHECK(answer.status == 409);
  CHECK(text_at(answer, "code") == code_name(Code::changes_pending));
  CHECK(small.engine->models().body.find("\"ready\":false") != std::string::npos);
}

TEST_CASE("under the data clock events are known when the sender or else the definition says") {
  SmallEngine small({.data_clock = true});
  // 750 miles: 40 + 100 minutes after departure.
  REQUIRE(
      small.engine->events("flights", event("ATL", "2001-06-01T08:00:00Z", 750, 0), {}).status ==
      200);
  CHECK(format_time(small.log_view->last_known().us) == "2001-06-01T10:20:00Z");
  REQUIRE(
      small.engine->events("flights", event("ATL", "2001-06-01T08:30:00Z", 750, 0), kNoon).status ==
      200);
  CHECK(small.log_view->last_known().us == kNoon);
  // Declared to be known at 09:20, but the log is at noon already.
  REQUIRE(
      small.engine->events("flights", event("ATL", "2001-06-01T07:00:00Z", 750, 0), {}).status ==
      200);
  CHECK(small.log_view->last_known().us == kNoon);

  CHECK(text_at(small.engine->predict("late", kQuestion, false, kNoon + kHourUs), "at") ==
        "2001-06-01T13:00:00Z");
  CHECK(small.log_view->last_known().us == kNoon);  // asking moves nothing
  CHECK(text_at(small.engine->predict("late", kQuestion, false, {}), "at") ==
        "2001-06-01T12:00:00.000001Z");
}

TEST_CASE("under the data clock a question before all events must say its time") {
  SmallEngine small({.data_clock = true});
  CHECK(small.engine->predict("late", kQuestion, false, {}).status == 400);
  CHECK(
      small.engine->predict("late", R"({"origin":"ATL","distance":1,"at":"2001-06-01"})", false, {})
          .status == 200);
}

TEST_CASE("a model swap is one step between two answers") {
  SmallEngine small;
  CHECK(
      *at(parsed(small.engine->predict("late", kQuestion, false, {}).body), "version").integer() ==
      3);
  small.engine->set_models({{"late", testing::small_model(*small.project, 4, 3.0f)}});
  const data::Json json = parsed(small.engine->predict("late", kQuestion, false, {}).body);
  CHECK(*at(json, "version").integer() == 4);
  CHECK(*at(json, "score").real() == doctest::Approx(logistic(2.0)).epsilon(1e-6));
}

TEST_CASE("metrics count what happened") {
  SmallEngine small;
  REQUIRE(
      small.engine->events("flights", event("ATL", "2001-06-01T11:00:00Z", 700, 40), {}).status ==
      200);
  REQUIRE(small.engine->predict("late", kQuestion, false, {}).status == 200);
  const std::string text = small.engine->metrics().body;
  CHECK(text.find("coeval_events_accepted_total{source=\"flights\"} 1\n") != std::string::npos);
  CHECK(text.find("coeval_predictions_total{model=\"late\",version=\"3\"} 1\n") !=
        std::string::npos);
  CHECK(text.find("coeval_log_position 2\n") != std::string::npos);
  CHECK(text.find("coeval_state_events{view=\"origin\"} 1\n") != std::string::npos);
}

TEST_CASE("predictions alone are not fsynced at once, an event takes them along") {
  LogWriter writer(stores::make_memory_log());
  const stores::Draft prediction{stores::RecordKind::prediction, KnownTime{1}, 0, 0, "p"};
  const stores::Draft taken{stores::RecordKind::event, KnownTime{1}, 0, 0, "e"};
  REQUIRE(writer.append(taken).has_value());
  REQUIRE(writer.commit(10.0).has_value());
  CHECK(writer.syncs() == 1);
  REQUIRE(writer.append(prediction).has_value());
  REQUIRE(writer.commit(10.05).has_value());
  CHECK(writer.syncs() == 1);
  CHECK(writer.unsynced() == 1);
  CHECK(kinds(writer.log()).size() == 2);  // but handed to the system
  REQUIRE(writer.commit(10.11).has_value());
  CHECK(writer.syncs() == 2);
  REQUIRE(writer.append(prediction).has_value());
  REQUIRE(writer.append(taken).has_value());
  REQUIRE(writer.commit(10.12).has_value());
  CHECK(writer.syncs() == 3);
  CHECK(writer.unsynced() == 0);
}

TEST_CASE(
    "a snapshot holds the state at a position that is on disk, and is written only when due") {
  SmallEngine small({.snapshot_every = 3});
  Engine& engine = *small.engine;
  const std::string folder = small.folder.path() + "/snapshots";
  const auto restored = [&](kernel::Kernel& kernel) {
    kernel::EventIndexes names(*small.project);
    auto found = restore_snapshot(folder, "history", small.log_view->next_position(), kernel, names,
                                  nullptr);
    REQUIRE(found.has_value());
    return found->has_value() ? std::optional((*found)->position()) : std::nullopt;
  };
  const auto kernel = [&] { return std::move(*kernel::Kernel::create(small.project, {0})); };
  const auto take = [&] {
    REQUIRE(engine.events("flights", event("ATL", "2001-06-01T11:00:00Z", 700, 40), {}).status ==
            200);
  };
  take();
  REQUIRE(engine.snapshot_if_due(true).has_value());
  CHECK_FALSE(std::filesystem::exists(folder));  // without a basis nobody could tell of what
  engine.set_basis("history");
  take();
  REQUIRE(engine.snapshot_if_due(false).has_value());
  CHECK_FALSE(restored(*kernel()).has_value());
  take();
  REQUIRE(engine.snapshot_if_due(false).has_value());
  CHECK(engine.snapshot_position() == Position{3});
  const auto first = kernel();
  CHECK(restored(*first) == Position{3});
  CHECK(first->event_count(0) == 3);
  take();
  REQUIRE(engine.snapshot_if_due(true).has_value());
  const auto second = kernel();
  CHECK(restored(*second) == Position{4});
  CHECK(second->event_count(0) == 4);
}

struct FullDisk {
  testing::TemporaryFolder folder;
  std::shared_ptr<stores::FaultyFiles> files = std::make_shared<stores::FaultyFiles>();
  std::unique_ptr<stores::EventLog> open() {
    auto log = stores::open_log(folder.path(), {.files = files});
    REQUIRE(log.has_value());
    return std::move(*log);
  }
};

TEST_CASE(
    "a full disk is said, nothing acknowledged is lost, and log and state agree when there is room "
    "again") {
  FullDisk disk;
  {
    SmallEngine small({}, disk.open());
    Engine& engine = *small.engine;
    REQUIRE(engine.events("flights", event("ATL", "2001-06-01T11:00:00Z", 700, 40), {}).status ==
            200);
    REQUIRE(engine.commit().has_value());
    REQUIRE(engine.predict("late", kQuestion, false, {}).status == 200);

    disk.files->plan().room_bytes = 0;
    REQUIRE(engine.events("flights", event("ATL", "2001-06-01T11:10:00Z", 700, 0), {}).status ==
            200);
    const Status failed = engine.commit();
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code == Code::disk_full);
    CHECK_FALSE(engine.ready());
    const Answer held = engine.predict("late", kQuestion, true, {});
    REQUIRE(held.status == 200);
    CHECK(*at(parsed(held.body), "position").integer() == 3);
    CHECK(engine.events("flights", event("ATL", "2001-06-01T11:20:00Z", 700, 0), {}).status == 507);
    CHECK_FALSE(engine.commit().has_value());

    disk.files->plan().room_bytes = stores::FaultPlan::kNever;
    const Answer again = engine.predict("late", kQuestion, true, {});
    REQUIRE(again.status == 200);
    CHECK(engine.ready());
    // What was folded into the state is in the log: both rows, the refused one not.
    CHECK(*at(at(parsed(again.body), "features"), "origin.flights_3h").integer() == 2);
    CHECK(*at(parsed(again.body), "position").integer() == 4);
    REQUIRE(engine.sync().has_value());
  }
  const auto reopened = disk.open();
  constexpr auto kEvent = stores::RecordKind::event, kPrediction = stores::RecordKind::prediction;
  CHECK(kinds(*reopened) == std::vector{kEvent, kPrediction, kEvent, kPrediction, kPrediction});
}

TEST_CASE(
    "rows that cannot be put into quarantine fail the round like rows that cannot be logged") {
  SmallEngine small;
  std::filesystem::remove_all(small.folder.path());
  // A file where the folder must be.
  REQUIRE(std::fclose(std::fopen(small.folder.path().c_str(), "w")) == 0);
  REQUIRE(small.engine->events("flights", event("ATL", "2001-06-01", 700, -185), {}).status == 422);
  CHECK_FALSE(small.engine->commit().has_value());
  CHECK_FALSE(small.engine->ready());
  std::filesystem::remove(small.folder.path());
  std::filesystem::create_directory(small.folder.path());
  REQUIRE(small.engine->commit().has_value());
  REQUIRE(small.engine->commit().has_value());
  CHECK(quality::read_quarantine(small.folder.path(), "flights")->size() == 1);
}

}  // namespace
}  // namespace coeval::serving
