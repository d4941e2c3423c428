/* SPDX-License-Identifier: MIT */
#include "arch.h"

const char arch_feature_names[] =
	"fp,asimd,evtstrm,aes,pmull,sha1,sha2,crc32,atomics,fphp,asimdhp,cpuid,asimdrdm,jscvt,fcma,lrcpc,dcpop,sha3,sm3,sm4,"
	"asimddp,sha512,sve,asimdfhm,dit,uscat,ilrcpc,flagm,ssbs,sb,paca,pacg,gcs,cmpbr,fprcvt,f8mm8,f8mm4,svef16mm,"
	"sveeltperm,sveaes2,svebfscale,sve2p2,sme2p2,smesbitperm,smeaes,smesfexpa,smestmop,smesmop4\0"
	"dcpodp,sve2,sveaes,svepmull,svebitperm,svesha3,svesm4,flagm2,frint,svei8mm,svef32mm,svef64mm,svebf16,i8mm,bf16,dgh,"
	"rng,bti,mte,ecv,afp,rpres,mte3,sme,smei16i64,smef64f64,smei8i32,smef16f32,smeb16f32,smef32f32,smefa64,wfxt,ebf16,"
	"sveebf16,cssc,rprfm,sve2p1,sme2,sme2p1,smei16i32,smebi32i32,smeb16b16,smef16f16,mops,hbc,sveb16b16,lrcpc3,lse128,"
	"fpmr,lut,faminmax,f8cvt,f8fma,f8dp4,f8dp2,f8e4m3,f8e5m2,smelutv2,smef8f16,smef8f32,smesf8fma,smesf8dp4,smesf8dp2,"
	"poe\0"
	"mtefar,mtestoreonly,lsfe,ls64\0"
	"sve128,sve256,sve384,sve512,sve640,sve768,sve896,sve1024,sve1152,sve1280,sve1408,sve1536,sve1664,sve1792,sve1920,"
	"sve2048\0"
	"sme128,sme256,,sme512,,,,sme1024,,,,,,,,sme2048\0"
	"sigframe-unknown,sigframe-sve,sigframe-tpidr2,sigframe-za,sigframe-zt,sigframe-poe,sigframe-fpmr,sigframe-gcs";
