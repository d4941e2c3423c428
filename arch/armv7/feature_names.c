/* SPDX-License-Identifier: MIT */
#include "arch.h"

const char arch_feature_names[] =
	"swp,half,thumb,26bit,fastmult,fpa,vfp,edsp,java,iwmmxt,crunch,thumbee,neon,vfpv3,vfpv3d16,tls,vfpv4,idiva,idivt,vfpd32,"
	"lpae,evtstrm,fphp,asimdhp,asimddp,asimdfhm,asimdbf16,i8mm\0"
	"aes,pmull,sha1,sha2,crc32,sb,ssbs";
