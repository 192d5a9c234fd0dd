#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "models/model_folder.h"
#include "stores/meta_store.h"

namespace coeval::training {

/// Loads a registered version; its folder must be the one that was registered.
/// Errors: those of models::load_model; bad_model for one that was removed to save space.
Result<std::shared_ptr<const models::ServedModel>> load_version(const std::string& state_folder,
                                                                const stores::ModelVersion& version,
                                                                const models::Openers& openers);

/// The trainer's file of a version's folder, which has one of several names but one id.
/// Errors: io; bad_model when no file there has it.
Result<std::string> model_bytes(const std::string& folder, std::string_view bits_id);

/// Moves a folder that cannot be used out of the way, to `folder`.damaged-1, -2, …: what is in it
/// is kept for who wants to know. Returns the new path. Errors: io.
Result<std::string> set_aside(const std::string& folder);

}  // namespace coeval::training
