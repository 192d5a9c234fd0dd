#include "models/model_folder.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/hash.h"
#include "models/test_files.h"

namespace coeval::models {
namespace {

namespace fs = std::filesystem;

struct Sample {
  std::string model = test_data("v3_4.ubj");
  ModelCard card;
  Encoder encoder;
  data::Json metrics;
  std::vector<GoldenRow> golden;

  Sample() {
    const auto json = data::parse_json(R"({"columns":[
      {"name":"a","type":"float64"},{"name":"b","type":"int32"},{"name":"c","type":"bool"},
      {"name":"d","type":"string","dictionary":["x","y","z"]},
      {"name":"e","type":"string","dictionary":["p","q"]}]})");
    REQUIRE(json.has_value());
    auto read = Encoder::from_json(*json);
    REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().message));
    encoder = std::move(*read);
    card = {"late",
            "ir-hash",
            "ir\ntext",
            "recipe",
            data::sha256_hex(model),
            "dataset",
            "3.4.1",
            0.25,
            *data::parse_json(R"({"created":"2001-06-01","rounds":5})")};
    metrics = *data::parse_json(R"({"test":{"auc":0.75}})");
    const PredictedRows rows = predicted_rows("v3_4.rows");
    for (std::size_t i = 0; i < 64; ++i) {
      const auto first = rows.cells.begin() + static_cast<std::ptrdiff_t>(i * 5);
      golden.push_back({{first, first + 5}, {rows.margins[i]}, {rows.outputs[i]}});
    }
  }

  Status save(const std::string& folder) const {
    return save_model(folder, card, encoder, model, metrics, golden);
  }
};

void overwrite(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

Error load_error(const std::string& folder) {
  const auto loaded = load_model(folder);
  REQUIRE(!loaded.has_value());
  return loaded.error();
}

}  // namespace

TEST_CASE("a saved model loads with everything it was saved with") {
  const TestFolder folder;
  const Sample sample;
  REQUIRE(sample.save(folder.path("deep/er/model")).has_value());
  const auto loaded = load_model(folder.path("deep/er/model"));
  REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : one_line(loaded.error())));
  const ServedModel& model = **loaded;
  CHECK(model.card.name == "late");
  CHECK(model.card.ir == "ir\ntext");
  CHECK(model.card.recipe_id == "recipe");
  CHECK(model.card.bits_id == data::sha256_hex(sample.model));
  CHECK(model.card.engine == "3.4.1");
  CHECK(model.card.threshold == 0.25);
  CHECK(model.card.details.dump() == sample.card.details.dump());
  CHECK(model.metrics.dump() == sample.metrics.dump());
  CHECK(model.encoder.columns() == sample.encoder.columns());
  CHECK(model.runtime.forest()->margin(sample.golden[3].row) == sample.golden[3].margins[0]);
  // Nothing else is left in the folder above.
  CHECK(std::distance(fs::directory_iterator(folder.path("deep/er")), fs::directory_iterator()) ==
        1);
}

TEST_CASE("a regression's card has its kind and no threshold, and decides nothing") {
  const TestFolder folder;
  Sample sample;
  CHECK(sample.card.decision(0.25F));
  CHECK_FALSE(sample.card.decision(0.24F));
  sample.card.kind = "regression";
  REQUIRE(sample.save(folder.path("model")).has_value());
  const auto loaded = load_model(folder.path("model"));
  REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : one_line(loaded.error())));
  CHECK((*loaded)->card.kind == "regression");
  CHECK_FALSE((*loaded)->card.decision(7));
  std::ifstream file(folder.path("model/model.json"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK(text.find("\"kind\": \"regression\"") != std::string::npos);
  CHECK(text.find("threshold") == std::string::npos);
  sample.card.kind = "forecast";
  REQUIRE_FALSE(sample.save(folder.path("other")).has_value());
}

TEST_CASE("the bits id is filled in, and a wrong one is refused") {
  const TestFolder folder;
  Sample sample;
  sample.card.bits_id.clear();
  REQUIRE(sample.save(folder.path("a")).has_value());
  CHECK((*load_model(folder.path("a")))->card.bits_id == data::sha256_hex(sample.model));
  sample.card.bits_id = std::string(64, '0');
  const Status status = sample.save(folder.path("b"));
  REQUIRE(!status.has_value());
  CHECK(status.error().code == Code::bad_model);
  CHECK(!fs::exists(folder.path("b")));
}

TEST_CASE("an existing model is never overwritten") {
  const TestFolder folder;
  const Sample sample;
  REQUIRE(sample.save(folder.path("m")).has_value());
  const Status status = sample.save(folder.path("m"));
  REQUIRE(!status.has_value());
  CHECK(status.error().code == Code::io);
  CHECK(load_model(folder.path("m")).has_value());
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a golden row that the model does not reproduce is refused, at saving already") {
  const TestFolder folder;
  Sample sample;
  sample.golden[40].margins[0] = std::nextafter(sample.golden[40].margins[0], 9.0f);
  const Status status = sample.save(folder.path("m"));
  REQUIRE(!status.has_value());
  CHECK(status.error().code == Code::bad_model);
  CHECK(status.error().message.find("row 40") != std::string::npos);
  sample.golden.clear();
  CHECK(!sample.save(folder.path("m")).has_value());
}

TEST_CASE("an encoder of another width is refused") {
  const TestFolder folder;
  Sample sample;
  sample.encoder = *Encoder::from_json(*data::parse_json(R"({"columns":[]})"));
  sample.golden.clear();
  const Status status = sample.save(folder.path("m"));
  REQUIRE(!status.has_value());
  CHECK(status.error().message.find("encoder.json") != std::string::npos);
}

TEST_CASE("damage to any file is bad_model and names the file") {
  const TestFolder folder;
  const Sample sample;
  REQUIRE(sample.save(folder.path("m")).has_value());
  for (const std::string name :
       {"model.ubj", "encoder.json", "model.json", "metrics.json", "golden.bin", "sha256sums"}) {
    CAPTURE(name);
    const std::string path = folder.path("m/" + name);
    const std::string intact = read_test_file(path);
    std::string flipped = intact;
    flipped[intact.size() / 2] ^= 1;
    for (const std::string& bytes :
         {flipped, intact.substr(0, intact.size() - 1), intact + "x", std::string()}) {
      overwrite(path, bytes);
      const Error error = load_error(folder.path("m"));
      CHECK(error.code == Code::bad_model);
      // A flip inside a stated checksum cannot be told from one inside the file it is of.
      if (name != "sha256sums") CHECK(error.message.find(name) == 0);
    }
    overwrite(path, intact);
    CHECK(load_model(folder.path("m")).has_value());
    fs::remove(path);
    const Error missing = load_error(folder.path("m"));
    CHECK(missing.code == Code::no_such_file);
    CHECK(missing.message.find(name) != std::string::npos);
    overwrite(path, intact);
  }
}

TEST_CASE("a folder that does not exist is no_such_file") {
  const TestFolder folder;
  CHECK(load_error(folder.path("nothing")).code == Code::no_such_file);
}

TEST_CASE("checksums are those that sha256sum prints") {
  const TestFolder folder;
  const Sample sample;
  REQUIRE(sample.save(folder.path("m")).has_value());
  const std::string sums = read_test_file(folder.path("m/sha256sums"));
  CHECK(sums.find(data::sha256_hex(sample.model) + "  model.ubj\n") == 0);
}

// The checksums of what lies in the folder now: what a forger writes who changed a file.
void forge_sums(const std::string& folder) {
  std::string sums;
  for (const std::string name :
       {"model.ubj", "encoder.json", "model.json", "metrics.json", "golden.bin"})
    sums += data::sha256_hex(read_test_file(folder + "/" + name)) + "  " + name + "\n";
  overwrite(folder + "/sha256sums", sums);
}

void replace_in(const std::string& path, const std::string& what, const std::string& by) {
  std::string text = read_test_file(path);
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  overwrite(path, text.replace(at, what.size(), by));
}

TEST_CASE("a forged file with forged checksums is not the registered folder") {
  const TestFolder folder;
  const Sample sample;
  REQUIRE(sample.save(folder.path("m")).has_value());
  const auto registered = RegisteredFolder{(*load_model(folder.path("m")))->manifest_id,
                                           data::sha256_hex(sample.model), "ir-hash"};
  CHECK(registered.manifest_id == data::sha256_hex(read_test_file(folder.path("m/sha256sums"))));
  CHECK(load_model(folder.path("m"), registered).has_value());
  const struct {
    const char *file, *what, *by;
  } forgeries[] = {{"encoder.json", "\"x\"", "\"w\""},  // another word has its code: other scores
                   {"model.json", "0.25", "0.75"},      // the threshold: other decisions
                   {"metrics.json", "0.75", "0.99"}};
  for (const auto& [file, what, by] : forgeries) {
    CAPTURE(file);
    const std::string path = folder.path(std::string("m/") + file);
    const std::string intact = read_test_file(path);
    replace_in(path, what, by);
    forge_sums(folder.path("m"));
    CHECK(load_model(folder.path("m")).has_value());  // by itself the folder is sound
    const auto loaded = load_model(folder.path("m"), registered);
    REQUIRE(!loaded.has_value());
    CHECK(loaded.error().code == Code::bad_model);
    CHECK(loaded.error().message.find("not the one that was registered") != std::string::npos);
    CHECK(!loaded.error().advice.empty());
    overwrite(path, intact);
    forge_sums(folder.path("m"));
  }
  CHECK(load_model(folder.path("m"), registered).has_value());
}

TEST_CASE("of a folder that was registered without a manifest the ids are compared") {
  const TestFolder folder;
  const Sample sample;
  REQUIRE(sample.save(folder.path("m")).has_value());
  CHECK(load_model(folder.path("m"), {"", data::sha256_hex(sample.model), "ir-hash"}).has_value());
  CHECK(!load_model(folder.path("m"), {"", data::sha256_hex("other"), "ir-hash"}).has_value());
  const auto other = load_model(folder.path("m"), {"", "", "another"});
  REQUIRE(!other.has_value());
  CHECK(other.error().message.find("IR hash ir-hash instead of another") != std::string::npos);
}

TEST_CASE("a place that cannot be written is an error and leaves nothing") {
  const TestFolder folder;
  const Sample sample;
  overwrite(folder.path("file"), "x");
  const Status status = sample.save(folder.path("file/m"));
  REQUIRE(!status.has_value());
  CHECK(status.error().message.find(folder.path("file")) != std::string::npos);
}

TEST_CASE("golden rows keep their bits and their format is pinned") {
  const float nan = std::bit_cast<float>(0x7fc01234u);
  const std::string bytes =
      write_golden(2, 1, std::vector<GoldenRow>{{{1.0f, nan}, {-0.0f}, {0.5f}}});
  const std::string expected{
      "coevgold\1\0\0\0\2\0\0\0\1\0\0\0\0\0\x80\x3f\x34\x12\xc0\x7f\0\0\0\x80\0\0\0\x3f", 36};
  CHECK(bytes.substr(0, 36) == expected);
  CHECK(bytes.size() == 40);
  const auto rows = read_golden(bytes);
  REQUIRE(rows.has_value());
  CHECK(std::bit_cast<std::uint32_t>((*rows)[0].row[1]) == 0x7fc01234u);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] ^= 4;
    CHECK(!read_golden(damaged).has_value());
    CHECK(!read_golden(std::string_view(bytes).substr(0, at)).has_value());
  }
}

TEST_CASE("the model's file is named by what it contains, and found by any of the names") {
  const std::pair<const char*, const char*> names[] = {{"v3_4.ubj", "model.ubj"},
                                                       {"v3_4.json", "model.xgboost.json"},
                                                       {"lightgbm_v4.txt", "model.lightgbm.txt"}};
  for (const auto& [source, name] : names) {
    CAPTURE(std::string(name));
    const TestFolder folder;
    Sample sample;
    sample.model = test_data(source);
    sample.card.bits_id = data::sha256_hex(sample.model);
    const auto forest = Forest::read(sample.model);
    REQUIRE(forest.has_value());
    for (GoldenRow& row : sample.golden) {
      forest->predict(row.row, row.margins, row.scores);
    }
    const std::string path = folder.path("late");
    REQUIRE(sample.save(path).has_value());
    CHECK(read_test_file(path + "/" + name) == sample.model);
    const auto loaded = load_model(path);
    REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : one_line(loaded.error())));
    CHECK((*loaded)->runtime.forest()->trees() == forest->trees());
    // Under another's name it is not what the folder was.
    fs::rename(path + "/" + name, path + "/model.other");
    CHECK(!load_model(path).has_value());
  }
}

TEST_CASE("a model with several outputs is not taken into a folder") {
  const TestFolder folder;
  Sample sample;
  sample.model = test_data("lightgbm_classes.txt");
  sample.card.bits_id = data::sha256_hex(sample.model);
  const auto saved = sample.save(folder.path("late"));
  REQUIRE(!saved.has_value());
  CHECK(saved.error().code == Code::unsupported);
  CHECK(saved.error().message.find("3 outputs") != std::string::npos);
  CHECK(!fs::exists(folder.path("late")));
}

}  // namespace coeval::models
