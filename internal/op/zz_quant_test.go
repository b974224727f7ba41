package op_test
import ("encoding/json";"encoding/base64";"os";"testing";"fmt"
"github.com/octavo-ml/octavo/internal/op"
"github.com/octavo-ml/octavo/internal/op/optest"
"github.com/octavo-ml/octavo/internal/dtype"
"github.com/octavo-ml/octavo/internal/tensor")
type zt struct{T string; S []int; B string}
type zc struct{Name,Op string; Attrs []struct{N,K,S string; F float32; I int64; Is []int64 `json:"is_"`}; Ins,Outs []*zt}
func ztens(z *zt) *tensor.Tensor { if z==nil{return nil}; ty,err:=dtype.Parse(z.T); if err!=nil{panic(err)}; b,_:=base64.StdEncoding.DecodeString(z.B); t,err:=tensor.FromBytes(ty,z.S,b); if err!=nil{panic(err)}; return t}
func TestZZ(t *testing.T){
 b,err:=os.ReadFile(os.Getenv("ZZ")); if err!=nil{t.Skip()}
 var cs []zc; if err:=json.Unmarshal(b,&cs);err!=nil{t.Fatal(err)}
 ok:=0
 type st struct{n,bad int; max int64; tot, bt int; fm float64}
 stats:=map[string]*st{}
 for _,c:=range cs{
  o,err:=op.ByName(c.Op); if err!=nil{t.Fatal(err)}
  var as []op.Attr
  for _,a:=range c.Attrs{ var v any; switch a.K{case "f":v=a.F;case "i":v=a.I;case "s":v=a.S;case "is":v=a.Is}; as=append(as,op.Attr{Name:a.N,Value:v})}
  if u,err:=op.SetAttrs(o,as);err!=nil||len(u)>0{t.Errorf("%s attrs %v %v",c.Name,u,err);continue}
  in:=make([]op.Datum,len(c.Ins)); fs:=make([]op.Fact,len(c.Ins)); for i,x:=range c.Ins{ if x!=nil{in[i].Tensor=ztens(x);fs[i]=op.ConstFact(in[i].Tensor)}}
  out,err:=o.(op.Evaluator).Eval(in); if err!=nil{t.Errorf("%s: %v",c.Name,err);continue}
  inf,err:=o.Infer(fs,len(c.Outs)); if err!=nil{t.Errorf("%s infer %v",c.Name,err);continue}
  good:=true
  s:=stats[c.Op]; if s==nil{s=&st{};stats[c.Op]=s}; s.n++
  for i,w:=range c.Outs{ wt:=ztens(w); got:=out[i].Tensor
   if _,err:=op.Merge(inf[i].Shape,op.Known(got.Shape()...));err!=nil||inf[i].Type!=got.Type(){t.Errorf("%s inferred %v",c.Name,inf[i])}
   tol:=0.0
   if err:=optest.Compare(got,wt,tol);err!=nil{ good=false
     g,ok1:=tensor.Ints(got); ww,ok2:=tensor.Ints(wt)
     if ok1&&ok2&&len(g)==len(ww){ for k:=range g{ s.tot++; d:=g[k]-ww[k]; if d<0{d=-d}; if d>0{s.bt++}; if d>s.max{s.max=d}}} else if os.Getenv("ZV")!=""||!ok1{ if e2:=optest.Compare(got,wt,1e-6);e2!=nil{t.Logf("%s out %d: %v",c.Name,i,e2)} else {good=true} }
     if os.Getenv("ZV")!=""{t.Logf("%s out %d: %v",c.Name,i,err)}
   } else if g,k:=tensor.Ints(got);k{s.tot+=len(g)}
  }
  if good{ok++}else{s.bad++}
 }
 for k,s:=range stats{ fmt.Printf("%-28s cases %d bad %d; elements %d differ %d max %d\n",k,s.n,s.bad,s.tot,s.bt,s.max)}
 fmt.Println("ok",ok,"of",len(cs))
}
