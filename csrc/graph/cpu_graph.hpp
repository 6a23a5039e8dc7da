#pragma once

namespace mpskit::graph {

// For tests: memory of a run holds NaN before anything is written there, and again as soon as nothing needs it any more.
void poison_memory(bool on);

}  // namespace mpskit::graph
