#pragma once

// For this folder's tests only.

#include <doctest/doctest.h>
#include <stdlib.h>

#include <bit>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace coeval::models {

/// A temporary folder, removed at the end.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "coeval-models-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string read_test_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file of src/models/testdata (see make_testdata.py there).
inline std::string test_data(const std::string& name) {
  return read_test_file(std::string(COEVAL_SOURCE_DIR) + "/src/models/testdata/" + name);
}

/// What XGBoost itself predicted for rows of five cells.
struct PredictedRows {
  std::vector<float> cells, margins, outputs;
};

inline PredictedRows predicted_rows(const std::string& name) {
  std::istringstream words(test_data(name));
  PredictedRows rows;
  std::string word;
  for (std::size_t i = 0; words >> word; ++i) {
    std::uint32_t bits = 0;
    std::from_chars(word.data(), word.data() + word.size(), bits, 16);
    auto& part = i % 7 < 5 ? rows.cells : i % 7 == 5 ? rows.margins : rows.outputs;
    part.push_back(std::bit_cast<float>(bits));
  }
  REQUIRE(rows.outputs.size() == 200);
  return rows;
}

}  // namespace coeval::models
