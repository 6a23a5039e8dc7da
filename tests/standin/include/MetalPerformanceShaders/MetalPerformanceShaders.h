// Stand-in of Metal Performance Shaders: the declarations that mpskit uses, implemented for tests in tests/standin/src.
#pragma once
#import <MetalPerformanceShaders/MPSCore.h>
#import <MetalPerformanceShaders/MPSImage.h>
#import <MetalPerformanceShaders/MPSMatrix.h>
#import <MetalPerformanceShaders/MPSImageKernel.h>
#import <MetalPerformanceShaders/MPSImageFilter.h>
#import <MetalPerformanceShaders/MPSImageConversion.h>
#import <MetalPerformanceShaders/MPSImageCopy.h>
#import <MetalPerformanceShaders/MPSImageHistogram.h>
#import <MetalPerformanceShaders/MPSImageMath.h>
#import <MetalPerformanceShaders/MPSImageReduce.h>
#import <MetalPerformanceShaders/MPSMatrixKernel.h>
#import <MetalPerformanceShaders/MPSMatrixSolve.h>
#import <MetalPerformanceShaders/MPSCNNKernel.h>
#import <MetalPerformanceShaders/MPSNNGraph.h>
#import <MetalPerformanceShaders/MPSRNNLayer.h>
