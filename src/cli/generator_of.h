#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "cli/invocation.h"
#include "generate/fraud_options.h"
#include "generate/generator.h"

namespace coeval::cli {

/// The generator that the line asks for. Errors: usage for options of another kind; those of the
/// generator.
Result<std::unique_ptr<generate::Generator>> generator_of(const Invocation& in);

/// The options that change rows and stand on the line, with their values, in the order of the help.
std::vector<std::pair<std::string, std::string>> said_options(const GenerateWords& words);

}  // namespace coeval::cli
