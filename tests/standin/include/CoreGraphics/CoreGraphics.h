// Stand-in of CoreGraphics: the declarations that mpskit uses.
#pragma once
#import <CoreGraphics/CGColorConversionInfo.h>
#import <CoreGraphics/CGColorSpace.h>
