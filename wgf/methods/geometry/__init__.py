"""The flow of one energy in other geometries: on the same E = ½L + τ∫μ log μ, one proximal step for all,

    μ_{k+1} = argmin_p  E[p] + D(p, μ_k)/(2Δt),        ξ = G + τ log μ = δE/δμ,   ξ̄ = ∫ξ dμ,

the lecture's reading of training, which writes L[p] + D/(2η): the same step with Δt = 2η. In the limit Δt → 0 the distance D says how mass
may get from one place to another:

    D                                                 flow                                     by
    W₂²                    moved                      ∂_t μ = div(μ∇ξ)                         JKO, FiniteVolume, Particles
    KL(p|μ)                multiplied                 ∂_t μ = −2(ξ − ξ̄)μ   (Fisher–Rao)       MirrorDescent
    ½∫(p − μ)² dθ          added, as long as p ≥ 0    ∂_t μ = −2(ξ − c) where μ > 0            MirrorDescent(bregman="euclidean")
    WFR_r²                 moved and multiplied       ∂_t μ = div(μ∇ξ) − 2r(ξ − ξ̄)μ            WassersteinFisherRao

KL and ½∫(p − μ)² are the Bregman divergences of ∫p log p and ½∫p²; KL may be replaced by the square of Fisher–Rao's distance, which it
equals to leading order. WFR_r² is the inf-convolution of the first two, taken along paths ∂_s μ = −div(μv) + βμ from μ_k to p, ∫β dμ = 0,

    WFR_r² = inf ∫₀¹ ∫ (|v|² + β²/(2r)) dμ ds,         whose minimisers v = −∇ξ, β = −2r(ξ − ξ̄) are those of either part alone:

transport and reaction may be taken in turn [Gallouët & Monsaingeon, SIAM J. Math. Anal. 49 (2017) 1100]. E falls in each of them, at the
rate |∂_t μ|² of its geometry,

    −dE/dt = ∫|∇ξ|² dμ,     2∫(ξ − ξ̄)² dμ,     ½∫(∂_t μ)² dθ,     ∫|∇ξ|² dμ + 2r∫(ξ − ξ̄)² dμ,

which is what the runs of these methods report as their dissipation. L is convex along mixtures, on which the second and third geometry
move: they reach the best measure that the support of the start allows, at a known rate (exponential_family.py).
"""
