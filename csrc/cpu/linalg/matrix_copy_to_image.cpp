#include "cpu/image/picture_copy.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixCopyToImagePlan final : public PictureCopyPlan<Way::together> {
 public:
  MatrixCopyToImagePlan(const linalg::MatrixCopyToImage& k, const Call& call)
      : PictureCopyPlan(k, k.source_matrix_origin, k.source_matrix_batch_index, call.outputs[0]) {}
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixCopyToImage, MatrixCopyToImagePlan)
