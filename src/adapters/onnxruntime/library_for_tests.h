#pragma once

// For this folder's tests only.

#include <cstdlib>
#include <string>

namespace coeval::adapters {

/// Where the program itself would look: beside the sources, or where COEVAL_HOME says.
inline std::string onnxruntime_folder() {
  const char* home = std::getenv("COEVAL_HOME");
  return std::string(home != nullptr ? home : COEVAL_SOURCE_DIR) + "/third_party/onnxruntime";
}

}  // namespace coeval::adapters
