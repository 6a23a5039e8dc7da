#include "kernels/image/area_min.hpp"

#include "metal/image/area.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public AreaPlan<MPSImageAreaMin> {
 public:
  Plan(const image::AreaMin& k, const Call& call, const Context& context) : AreaPlan(k, call, context) {}
  static std::optional<std::string> refuses(const image::AreaMin& k, const Call& call, const Context&) { return refuses_scratch(k, call); }
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::AreaMin, Plan)
