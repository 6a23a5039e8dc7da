#include "cpu/image/picture_copy.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class CopyToMatrixPlan final : public PictureCopyPlan<Way::apart> {
 public:
  CopyToMatrixPlan(const image::CopyToMatrix& k, const Call& call)
      : PictureCopyPlan(k, k.destination_matrix_origin, k.destination_matrix_batch_index, call.inputs[0]) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::CopyToMatrix, CopyToMatrixPlan)
