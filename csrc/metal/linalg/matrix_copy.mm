#include "kernels/linalg/matrix_copy.hpp"

#include "metal/linalg/window.hpp"

namespace mpskit::metal {
namespace {

class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixCopy& k, const Call& call, const Context& context)
      : kernel_(k), block_(kernel_.block(call.inputs)), inputs_(call.inputs.size()), matrices_(call.inputs[0].matrices()) {
    if (block_.rows == 0 || block_.columns == 0) return;
    // Of the logical block: a transposed destination holds it with rows and columns exchanged.
    const bool is_turned = k.destinations_are_transposed;
    filter_ = made(adopt([[MPSMatrixCopy alloc] initWithDevice:context.device()
                                                      copyRows:count_of(is_turned ? block_.columns : block_.rows)
                                                   copyColumns:count_of(is_turned ? block_.rows : block_.columns)
                                          sourcesAreTransposed:k.sources_are_transposed ? YES : NO
                                     destinationsAreTransposed:is_turned ? YES : NO]),
                   context, k);
    rows_ = indices(context, block_.row_indices);
    columns_ = indices(context, block_.column_indices);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    if (!filter_) return;
    for (std::int64_t i = 0; i < matrices_; ++i) {
      auto copies = adopt([[MPSMatrixCopyDescriptor alloc] initWithDevice:e.context().device() count:kernel_.offsets.size()]);
      for (std::size_t c = 0; c < kernel_.offsets.size(); ++c) {
        const linalg::CopyOffsets& at = kernel_.offsets[c];
        const auto number = [](std::int64_t n) { return static_cast<std::uint32_t>(n); };
        // Whether a transposed source counts its offsets as stored is not stated: it is handed over from there on.
        [copies.get() setCopyOperationAtIndex:c
                                 sourceMatrix:window(e, o[kernel_.source_of(c)], i, at)
                            destinationMatrix:e.matrix(o[inputs_ + kernel_.destination_of(c)], i, 1)
                                      offsets:MPSMatrixCopyOffsets{0, 0, number(at[2]), number(at[3])}];
      }
      [filter_.get() encodeToCommandBuffer:e.commands()
                            copyDescriptor:e.keep(std::move(copies))
                         rowPermuteIndices:rows_.get()
                          rowPermuteOffset:0
                      columnPermuteIndices:columns_.get()
                       columnPermuteOffset:0];
    }
  }

 private:
  static retained<MPSVector*> indices(const Context& context, std::span<const std::uint32_t> given) {
    if (given.empty()) return {};
    auto buffer = adopt([context.device() newBufferWithBytes:given.data() length:given.size_bytes() options:MTLResourceStorageModeShared]);
    if (!buffer) throw DeviceError(cat("MatrixCopy: ", context.info().name, " made no buffer of ", given.size_bytes(), " bytes. Free arrays, or pass device=\"cpu\"."));
    return adopt([[MPSVector alloc] initWithBuffer:buffer.get() descriptor:[MPSVectorDescriptor vectorDescriptorWithLength:given.size() dataType:MPSDataTypeUInt32]]);
  }
  MPSMatrix* window(Encoder& e, const Operand& source, std::int64_t matrix, const linalg::CopyOffsets& at) const {
    Operand o = source;
    const Layout& l = source.layout;
    o.offset += matrix * l.matrix_bytes() + at[0] * l.row_bytes() + at[1] * l.element_bytes();
    o.layout.extent = {1, block_.is_turned ? block_.columns : block_.rows, block_.is_turned ? block_.rows : block_.columns, 1};
    return e.matrix(o);
  }

  linalg::MatrixCopy kernel_;  // owns the indices
  linalg::MatrixCopy::Block block_;
  std::size_t inputs_;
  std::int64_t matrices_;
  retained<MPSMatrixCopy*> filter_;
  retained<MPSVector*> rows_, columns_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixCopy, Plan)
