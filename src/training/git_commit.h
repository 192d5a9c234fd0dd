#pragma once

#include <string>

namespace coeval::training {

/// The commit that is checked out where a folder lies, in lower-case hex: read from the files of
/// `.git` there or above, without running git. What is not committed is not seen. Empty where there
/// is no repository, no commit, or a format that this does not read (reftable).
std::string git_commit(const std::string& folder);

}  // namespace coeval::training
