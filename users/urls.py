from django.urls import path, re_path
from django.views.generic import RedirectView

from .views import (
    account,
    data,
    email,
    login,
    password,
    recover,
    register,
    security,
    sessions,
    verify,
)

urlpatterns = [
    path("register/", register.RegisterView.as_view(), name="register"),
    path("login/", login.LoginView.as_view(), name="login"),
    path("login/verify/", verify.VerifyView.as_view(), name="login_verify"),
    path("login/passkey/", verify.PasskeyLoginView.as_view(), name="login_passkey"),
    path("passkey/options/", verify.PasskeyOptionsView.as_view(), name="passkey_options"),
    path("logout/", login.LogoutView.as_view(), name="logout"),
    # Your account
    path("account/", account.AccountView.as_view(), name="account"),
    path("account/email/", email.EmailChangeView.as_view(), name="email_change"),
    path(
        "account/email/change/send/",
        email.EmailChangeSendView.as_view(),
        name="email_change_send",
    ),
    path(
        "account/email/change/cancel/",
        email.EmailChangeCancelView.as_view(),
        name="email_change_cancel",
    ),
    path("account/email/correct/", email.EmailCorrectView.as_view(), name="email_correct"),
    path("account/email/send/", email.EmailConfirmSendView.as_view(), name="email_confirm_send"),
    path(
        "account/email/confirm/<str:token>/",
        email.EmailConfirmView.as_view(),
        name="email_confirm",
    ),
    path("account/confirm/", verify.confirm, name="confirm"),
    path("account/confirm/passkey/", verify.ConfirmPasskeyView.as_view(), name="confirm_passkey"),
    path("account/recover/<str:token>/", recover.RecoverView.as_view(), name="recover"),
    path("account/security/", security.SecurityView.as_view(), name="security"),
    path("account/security/passkeys/add/", security.PasskeyAddView.as_view(), name="passkey_add"),
    path(
        "account/security/passkeys/add/options/",
        security.PasskeyAddOptionsView.as_view(),
        name="passkey_add_options",
    ),
    path("account/security/passkeys/<int:pk>/", security.PasskeyView.as_view(), name="passkey"),
    path(
        "account/security/passkeys/<int:pk>/remove/",
        security.PasskeyRemoveView.as_view(),
        name="passkey_remove",
    ),
    path("account/security/app/", security.AppView.as_view(), name="app"),
    path("account/security/app/remove/", security.AppRemoveView.as_view(), name="app_remove"),
    path("account/security/codes/", security.CodesView.as_view(), name="codes"),
    path("account/password/", password.PasswordChangeView.as_view(), name="password_change"),
    path("account/sessions/", sessions.SessionsView.as_view(), name="sessions"),
    path(
        "account/sessions/end-others/",
        sessions.SessionsEndOthersView.as_view(),
        name="sessions_end_others",
    ),
    path(
        "account/sessions/<slug:digest>/end/",
        sessions.SessionEndView.as_view(),
        name="session_end",
    ),
    path("account/data/", data.DataView.as_view(), name="data"),
    path("account/data/download/", data.DataDownloadView.as_view(), name="data_download"),
    # A forgotten password
    path("password-reset/", password.PasswordResetView.as_view(), name="password_reset"),
    path(
        "password-reset/done/",
        password.PasswordResetDoneView.as_view(),
        name="password_reset_done",
    ),
    path(
        "password-reset/complete/",
        password.PasswordResetCompleteView.as_view(),
        name="password_reset_complete",
    ),
    path(
        "password-reset/<uidb64>/<token>/",
        password.PasswordResetConfirmView.as_view(),
        name="password_reset_confirm",
    ),
    # Where password managers look for the page
    path(".well-known/change-password", RedirectView.as_view(pattern_name="password_change")),
    re_path(r"^media/pictures/(?P<name>[0-9a-f]{32})\.jpg$", account.picture, name="picture"),
]
